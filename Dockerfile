# Two images: `docker build --target hub -t hybridge .` and `docker build --target agent -t hconnect .`

FROM node:20-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ libpcap-dev make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# The image has the headers of its Node: node-gyp need not download them.
RUN npm_config_nodedir=/usr/local npm rebuild
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20-bookworm-slim AS runtime
WORKDIR /opt/hybridge
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/package.json /src/LICENSE ./
RUN ln -s /opt/hybridge/dist/hybridge.js /usr/local/bin/hybridge \
 && ln -s /opt/hybridge/dist/hconnect.js /usr/local/bin/hconnect

# docker run -it --network host --cap-add NET_ADMIN --cap-add NET_RAW \
#   -v ~/.ssh:/root/.ssh hconnect -u ann -b private0 -s hub.example -n eth1
FROM runtime AS agent
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpcap0.8 openssh-client \
 && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["hconnect"]

# docker run -d --network host --cap-add NET_ADMIN --cap-add NET_RAW \
#   -v hybridge:/var/lib/hybridge hybridge serve --bridge private0 --attach private0=nic:eth1
# A hub without --attach nic or tap needs neither host network nor capabilities: -p 2222:2222.
# It starts as root and drops to the users hybridge and nobody. For tap ports add --device /dev/net/tun.
FROM runtime AS hub
RUN useradd --system --user-group --no-create-home --home-dir /var/lib/hybridge --shell /usr/sbin/nologin hybridge \
 && mkdir /var/lib/hybridge
WORKDIR /var/lib/hybridge
VOLUME /var/lib/hybridge
EXPOSE 2222
ENTRYPOINT ["hybridge"]
CMD ["serve"]
