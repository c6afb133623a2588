# An image whose programs trust the proxy. Only the certificate goes in, never the key:
#   cp ~/.mitmproxy/mitmproxy-ca-cert.pem khazad-mitm.crt
#   docker build -f container.Dockerfile --build-arg BASE=python:3.12-slim -t app-behind-khazad .
#   docker run -e HTTPS_PROXY=http://host.docker.internal:8080 ... app-behind-khazad
ARG BASE=debian:stable-slim
FROM ${BASE}
USER root
COPY khazad-mitm.crt /usr/local/share/ca-certificates/khazad-mitm.crt
RUN command -v update-ca-certificates \
    || (apt-get update && apt-get install -y --no-install-recommends ca-certificates) \
    || apk add --no-cache ca-certificates
RUN update-ca-certificates
# For clients that bring roots of their own and look at no system's store.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    AWS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/khazad-mitm.crt
