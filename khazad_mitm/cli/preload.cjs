// Loaded into Node by `NODE_OPTIONS=--require`: sends `fetch`, `http` and `https` through the proxy
// of the environment, where Node cannot do so itself (before 22.21 and 24.5).
//
// Every connection to a host that NO_PROXY does not name becomes a tunnel: CONNECT to the proxy,
// then what the caller wanted, TLS of his own included. Agents of other makers that connect in
// ways of their own stay as they are.
"use strict";

(() => {
  if (process.allowedNodeEnvironmentFlags.has("--use-env-proxy")) return;
  const once = Symbol.for("khazad.preload");
  if (globalThis[once]) return;
  Object.defineProperty(globalThis, once, { value: true });
  const of = (scheme) =>
    process.env[`${scheme}_proxy`] || process.env[`${scheme.toUpperCase()}_PROXY`];
  const proxies = { "http:": read(of("http") || of("all")), "https:": read(of("https") || of("all")) };
  if (!proxies["http:"] && !proxies["https:"]) return;

  const http = require("http");
  const https = require("https");
  const net = require("net");
  const tls = require("tls");
  const connectPlain = http.Agent.prototype.createConnection;
  const connectSecure = https.Agent.prototype.createConnection;

  function read(url) {
    try {
      const parsed = new URL(url.includes("://") ? url : `http://${url}`);
      return parsed.protocol === "http:" ? parsed : null;
    } catch {
      return null;
    }
  }

  function goesDirect(host, port) {
    const name = host.replace(/^\[|\]$/g, "").toLowerCase();
    return (process.env.no_proxy || process.env.NO_PROXY || "").split(/[\s,]+/).some((entry) => {
      if (entry === "*") return true;
      const [, pattern, only] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase());
      const known = entry.indexOf(":") === entry.lastIndexOf(":") ? pattern : entry.toLowerCase();
      if (!known || (only && known === pattern && Number(only) !== Number(port))) return false;
      const suffix = known.replace(/^\*?\./, "");
      return name === suffix || name.endsWith(`.${suffix}`);
    });
  }

  // Calls back with a socket that speaks to `host:port` by way of the proxy.
  function tunnel(proxy, host, port, done) {
    const authority = `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
    const headers = { host: authority };
    if (proxy.username) {
      const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
      headers["proxy-authorization"] = `Basic ${Buffer.from(user).toString("base64")}`;
    }
    const request = http.request({
      method: "CONNECT",
      path: authority,
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || 80,
      headers,
      createConnection: net.connect,
    });
    request.once("connect", (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        done(new Error(`the proxy ${proxy.host} answers CONNECT ${authority} with ${response.statusCode}`));
        return;
      }
      if (head.length) socket.unshift(head);
      done(null, socket);
    });
    request.once("error", done);
    request.end();
  }

  function through(protocol, original, onward) {
    return function createConnection(...given) {
      const options = typeof given[0] === "object" ? given[0] : {};
      const done = given[given.length - 1];
      const host = options.host || options.hostname || "localhost";
      const port = options.port || (protocol === "https:" ? 443 : 80);
      const proxy = proxies[protocol];
      const isOurs = proxy && typeof done === "function" && !options.socketPath && !options.socket;
      if (!isOurs || goesDirect(host, port)) return original.apply(this, given);
      tunnel(proxy, host, port, (error, socket) => {
        if (error) done(error);
        else done(null, onward.call(this, options, socket));
      });
      return undefined;
    };
  }

  http.Agent.prototype.createConnection = through("http:", connectPlain, (options, socket) => socket);
  https.Agent.prototype.createConnection = through("https:", connectSecure, function (options, socket) {
    return connectSecure.call(this, { ...options, socket });
  });

  // `fetch` is undici, which asks one dispatcher for its connections. Reading `Request` loads it.
  const symbol = Symbol.for("undici.globalDispatcher.1");
  void globalThis.Request;
  const dispatcher = globalThis[symbol];
  if (!dispatcher || dispatcher.constructor.name !== "Agent") return;
  globalThis[symbol] = new dispatcher.constructor({
    connect(options, done) {
      const { protocol, hostname } = options;
      const port = options.port || (protocol === "https:" ? 443 : 80);
      const secure = (socket) => {
        const servername = options.servername || (net.isIP(hostname) ? "" : hostname);
        const secured = tls.connect({ socket, servername, ALPNProtocols: ["http/1.1"] });
        secured.once("secureConnect", () => settle(null, secured));
        secured.once("error", settle);
      };
      let settled = false;
      const settle = (error, socket) => {
        if (settled) return;
        settled = true;
        if (error) done(error);
        else done(null, socket.setNoDelay(true));
      };
      const opened = (error, socket) => {
        if (error) settle(error);
        else if (protocol === "https:") secure(socket);
        else settle(null, socket);
      };
      const proxy = proxies[protocol];
      if (proxy && !goesDirect(hostname, port)) return tunnel(proxy, hostname, port, opened);
      const socket = net.connect({ host: hostname.replace(/^\[|\]$/g, ""), port });
      socket.once("connect", () => opened(null, socket));
      socket.once("error", settle);
    },
  });
})();
