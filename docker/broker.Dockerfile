# One Klassic broker. The build context holds `broker/`, which scripts/docker-image collects with `pnpm deploy`:
# nothing is fetched while the image is built.
FROM node:24-bookworm-slim
COPY broker /klassic/broker
COPY server.properties /klassic/server.properties
ENV LOG_DIR=/klassic/logs TZ=UTC
# Any user may run it (docker run --user), as its own data and logs are all that it writes.
RUN mkdir -p /klassic/data /klassic/logs && chmod 0777 /klassic/data /klassic/logs
VOLUME ["/klassic/data", "/klassic/logs"]
EXPOSE 9092 19092
ENTRYPOINT ["node", "/klassic/broker/dist/server/main.js"]
CMD ["/klassic/server.properties"]
