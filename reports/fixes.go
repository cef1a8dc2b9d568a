package reports

import (
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// What to do about each cause, as data: by the product at the edge and by the
// language of the app, in words where neither is known.

// A fix is what to do in an app, by its language; [diagnose.AnyLanguage] is the
// default, in words. Lines that are indented by four spaces are code to paste as it
// stands, all others are prose: in every fix, as in Markdown.
type fix map[diagnose.Language]string

// An edgeFix is what to do at an edge, by its product; [record.EdgeUnknown] is
// the default, in words. A product that has no such setting says so.
type edgeFix map[record.EdgeProduct]string

// edgeFixes and appFixes are by the name of the remedy.
var (
	edgeFixes = map[diagnose.Remedy]edgeFix{
		diagnose.EdgeUnbuffered:   edgeUnbuffered,
		diagnose.EdgeUncompressed: edgeUncompressed,
		diagnose.EdgeIdle:         edgeIdle,
		diagnose.EdgeDeadline:     edgeDeadline,
		diagnose.EdgeCap:          edgeCap,
		diagnose.EdgeCutter:       edgeCutter,
		diagnose.EdgeHeader:       edgeHeader,
		diagnose.EdgeReload:       edgeReload,
		diagnose.EdgeConnections:  edgeConnections,
		diagnose.EdgeMarkDown:     edgeMarkDown,
		diagnose.EdgeHonest:       edgeHonest,
		diagnose.EdgeAbort:        edgeAbort,
	}
	appFixes = map[diagnose.Remedy]fix{
		diagnose.AppRaised:        fixRaised,
		diagnose.AppBlocked:       fixBlocked,
		diagnose.AppLimit:         fixLimit,
		diagnose.AppPool:          fixPool,
		diagnose.AppNoShutdown:    fixNoShutdown,
		diagnose.AppGrace:         fixGrace,
		diagnose.AppLeak:          fixLeak,
		diagnose.AppStall:         fixStall,
		diagnose.AppProducer:      fixProducer,
		diagnose.AppFirst:         fixFirst,
		diagnose.AppHeartbeat:     fixHeartbeat,
		diagnose.AppResources:     fixResources,
		diagnose.AppFlush:         fixFlush,
		diagnose.AppCompression:   fixCompression,
		diagnose.AppSwallowed:     fixSwallowed,
		diagnose.AppEnd:           fixEnd,
		diagnose.AppOwnIdle:       fixOwnIdle,
		diagnose.AppDeadline:      fixDeadline,
		diagnose.AppCap:           fixCap,
		diagnose.AppWorkerTimeout: fixWorkerTimeout,
		diagnose.AppRecycled:      fixRecycled,
		diagnose.AppMemory:        fixMemory,
		diagnose.AppLength:        fixLength,
	}
)

// fixAtEdge is what to do at an edge of that product.
func fixAtEdge(r diagnose.Remedy, p record.EdgeProduct) string {
	if s, ok := edgeFixes[r][p]; ok {
		return s
	}
	return edgeFixes[r][record.EdgeUnknown]
}

// fixInApp is what to do in an app of that language.
func fixInApp(r diagnose.Remedy, l diagnose.Language) string {
	if s, ok := appFixes[r][l]; ok {
		return s
	}
	return appFixes[r][diagnose.AnyLanguage]
}

// For nginx, in the location of the streams.
const (
	nginxUnbuffered = "send X-Accel-Buffering: no with every stream; or, in the location of the streams:\n" +
		"    proxy_buffering off;\n    proxy_http_version 1.1;\n    gzip off;"
	nginxHonest = "in the location of the streams:\n" +
		"    proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    proxy_buffering off;"
)

// At the edge.
var (
	edgeUnbuffered = edgeFix{
		record.EdgeUnknown: "switch response buffering off for streams at the proxy, speak HTTP/1.1 to the app, and do not " +
			"compress streams",
		record.EdgeNginx:   nginxUnbuffered,
		record.EdgeHAProxy: "    option http-no-delay   # in the backend or in defaults; and no compression for streams",
		record.EdgeCaddy:   "    reverse_proxy app:8000 {\n        flush_interval -1\n    }",
		record.EdgeEnvoy: "take the filters envoy.filters.http.buffer and envoy.filters.http.compressor off the route of " +
			"streams: typed_per_filter_config with disabled: true",
		record.EdgeLighttpd: "    server.stream-response-body = 2   # the default 0 collects the whole response; and leave " +
			"the type of streams " +
			"out of deflate.mimetypes",
		record.EdgeApache: "    ProxyPass /stream http://app:8000/stream flushpackets=on\n    SetEnvIf Request_URI " +
			"\"^/stream\" no-gzip=1",
		record.EdgeVarnish: "    sub vcl_backend_response { if (bereq.url ~ \"^/stream\") { set beresp.do_stream = " +
			"true; set beresp.uncacheable = true; set beresp.do_gzip = false; } }",
		record.EdgeTraefik: "    loadBalancer: { responseForwarding: { flushInterval: 1ms } }   # and no buffering or " +
			"compress middleware on the router of streams",
		record.EdgeALB: "an ALB passes bytes on as they come, except from Lambda targets, whose response it " +
			"collects: use an instance or ip target",
		record.EdgeCloudflare: "send Content-Type: text/event-stream and Cache-Control: no-cache, no-transform, so that " +
			"Cloudflare neither compresses nor caches; switch Response Buffering off where your plan has it",
	}
	edgeUncompressed = edgeFix{
		record.EdgeUnknown: "do not compress streams at the proxy, or send Cache-Control: no-transform with them",
		record.EdgeNginx: "leave text/event-stream out of gzip_types; or, in the location of the streams:\n    " +
			"gzip off;",
		record.EdgeHAProxy: "leave text/event-stream out of the types; without this line HAProxy compresses every " +
			"type:\n    compression type text/html text/css",
		record.EdgeCaddy: "the match leaves streams out:\n    encode gzip {\n        match {\n            header " +
			"Content-Type text/html*\n        }\n    }",
		record.EdgeEnvoy: "leave text/event-stream out of content_type in the response_direction_config of " +
			"envoy.filters.http.compressor",
		record.EdgeLighttpd: "leave text/event-stream out of deflate.mimetypes",
		record.EdgeApache:   "    SetEnvIf Request_URI \"^/stream\" no-gzip=1",
		record.EdgeVarnish: "    sub vcl_backend_response { if (bereq.url ~ \"^/stream\") { set beresp.do_gzip = " +
			"false; } }",
		record.EdgeTraefik: "    compress: { excludedContentTypes: [text/event-stream] }",
		record.EdgeALB:     "an ALB does not compress: look for the hop behind it that does",
		record.EdgeCloudflare: "send Cache-Control: no-transform with every stream, or set compression to none for it in a " +
			"Compression Rule",
	}
	edgeIdle = edgeFix{
		record.EdgeUnknown: "raise the proxy's idle timeout towards the app above the longest silence",
		record.EdgeNginx:   "in the location of the streams:\n    proxy_read_timeout 1h;",
		record.EdgeHAProxy: "    timeout server 1h   # in the backend; timeout client 1h in the frontend, and timeout " +
			"tunnel 1h for WebSocket",
		record.EdgeCaddy: "    reverse_proxy app:8000 {\n        transport http {\n            read_timeout 1h\n      " +
			"  }\n    }",
		record.EdgeEnvoy: "    stream_idle_timeout: 3600s   # in the HTTP connection manager; or idle_timeout: 3600s " +
			"on the route (5 min otherwise)",
		record.EdgeLighttpd: "    proxy.server = ( \"/stream\" => (( \"host\" => \"127.0.0.1\", \"port\" => 8000, " +
			"\"read-timeout\" => 3600 )) )   # and server.max-write-idle = 3600",
		record.EdgeApache: "without it ProxyTimeout counts, or Timeout (60 s):\n    ProxyPass /stream " +
			"http://app:8000/stream timeout=3600",
		record.EdgeVarnish: "    backend app { .host = \"app\"; .port = \"8000\"; .first_byte_timeout = 3600s; " +
			".between_bytes_timeout = 3600s; }",
		record.EdgeTraefik: "    serversTransports: { stream: { forwardingTimeouts: { responseHeaderTimeout: 0s, " +
			"idleConnTimeout: 3600s } } }   # and transport.respondingTimeouts.idleTimeout of the entry point",
		record.EdgeALB: "    aws elbv2 modify-load-balancer-attributes --load-balancer-arn \"$LOAD_BALANCER_ARN\" " +
			"--attributes Key=idle_timeout.timeout_seconds,Value=3600   # 60 s otherwise",
		record.EdgeCloudflare: "Cloudflare ends a response after 100 to 120 s without a byte, which only Enterprise plans " +
			"can raise: send heartbeats",
	}
	edgeDeadline = edgeFix{
		record.EdgeUnknown: "raise or switch off the limit on the whole duration of a response at the layer that sets " +
			"it; a heartbeat does not help against it",
		record.EdgeNginx: "nginx has no limit on the whole duration of a response: look at the layers around it, and " +
			"at worker_shutdown_timeout where it is reloaded",
		record.EdgeHAProxy: "HAProxy has no limit on the whole duration of a response: look at the layers around it, " +
			"and at hard-stop-after where it is reloaded",
		record.EdgeCaddy: "in the global options; and no stream_timeout in reverse_proxy:\n    servers {\n        " +
			"timeouts {\n            write 0\n        }\n    }",
		record.EdgeEnvoy: "    route: { cluster: app, timeout: 0s }   # 15 s otherwise; and no max_stream_duration " +
			"for streams",
		record.EdgeLighttpd: "lighttpd has no limit on the whole duration of a response: look at the layers around it",
		record.EdgeApache: "Apache has no limit on the whole duration of a response: look at the layers around it, and " +
			"at GracefulShutdownTimeout where it is reloaded",
		record.EdgeVarnish: "    varnishd -p send_timeout=3600   # the total time for a response, 600 s otherwise",
		record.EdgeTraefik: "    entryPoints: { web: { transport: { respondingTimeouts: { writeTimeout: 0s } } } }",
		record.EdgeALB: "an ALB has no limit on the whole duration of a response: look at its target (Lambda ends " +
			"at its own timeout, API Gateway after 29 s)",
		record.EdgeCloudflare: "a proxied response has no limit on its whole duration at Cloudflare: look at the origin, " +
			"or at a Worker in between",
	}
	edgeCap = edgeFix{
		record.EdgeUnknown: "look for a limit on the size of a response at the proxy, a gateway or a content filter",
		record.EdgeNginx: "nginx itself sets no limit on a response: look for SecResponseBodyLimit (ModSecurity), " +
			"sub_filter or Lua code in the location",
		record.EdgeHAProxy: "HAProxy itself sets no limit on a response: look for http-response return, a SPOE agent or " +
			"Lua code",
		record.EdgeCaddy: "Caddy itself sets no limit on a response: look for plugins in the route (response_body, " +
			"replace)",
		record.EdgeEnvoy: "take a buffering filter or ext_proc with response_body_mode: BUFFERED off the route, or " +
			"raise per_connection_buffer_limit_bytes (1 MiB otherwise)",
		record.EdgeLighttpd: "lighttpd itself sets no limit on a response: look at the disk that server.upload-dirs is " +
			"on, and at mod_magnet code",
		record.EdgeApache: "ModSecurity reads bodies (512 KiB at most by default): turn that off for streams, and use " +
			"no Substitute filter:\n    <IfModule security2_module>\n        SecResponseBodyAccess Off\n    </IfModule>",
		record.EdgeVarnish: "    varnishd -s Transient=malloc,1G   # a full transient storage cuts what passes through; " +
			"or return (pipe) for streams",
		record.EdgeTraefik: "take the buffering middleware off the router of streams, or set maxResponseBodyBytes: 0",
		record.EdgeALB: "a Lambda target may answer at most 1 MB through an ALB: use an instance or ip target, or a " +
			"function URL in mode RESPONSE_STREAM",
		record.EdgeCloudflare: "look for a Worker that reads the whole body (128 MB of memory), and pass response.body on " +
			"instead",
	}
	edgeCutter = edgeFix{
		record.EdgeUnknown: "look at the proxy's timeouts, size limits and filters, and in its log at the time of an " +
			"ending",
		record.EdgeNginx: "look at error_log at the time of an ending, and at proxy_read_timeout, send_timeout, " +
			"limit_rate and filters in the location",
		record.EdgeHAProxy: "look at the termination state in the log (sD: server timeout, cD: client timeout, SD: the " +
			"app closed), and at timeout server, timeout client",
		record.EdgeCaddy: "look at the log at the time of an ending (\"aborting with incomplete response\"), and at " +
			"read_timeout, write_timeout, stream_timeout",
		record.EdgeEnvoy: "look at %RESPONSE_FLAGS% in the access log (UT: route timeout, SI: stream idle timeout, " +
			"UC: the app closed), and at timeout, stream_idle_timeout",
		record.EdgeLighttpd: "look at server.errorlog at the time of an ending, and at read-timeout, server.max-write-idle",
		record.EdgeApache:   "look at ErrorLog at the time of an ending, and at ProxyTimeout, Timeout and output filters",
		record.EdgeVarnish: "    varnishlog -g request -q FetchError   # and between_bytes_timeout, send_timeout, " +
			"idle_send_timeout",
		record.EdgeTraefik: "look at the access log at the time of an ending, and at respondingTimeouts.writeTimeout " +
			"and the middlewares of the router",
		record.EdgeALB: "look at the access log's elb_status_code and error_reason, and at " +
			"idle_timeout.timeout_seconds",
		record.EdgeCloudflare: "look the Cf-Ray up in Cloudflare's logs (OriginResponseStatus, EdgeEndTimestamp)",
	}
	edgeHeader = edgeFix{
		record.EdgeUnknown: "raise the proxy's timeout for the first byte above the slowest start of an answer",
		record.EdgeNginx: "set max_fails=0 for the servers of the upstream, so that a slow start does not take one " +
			"out; and in the location of the streams:\n    proxy_read_timeout 1h;",
		record.EdgeHAProxy: "    timeout server 1h   # in the backend; it covers the wait for the head as well",
		record.EdgeCaddy: "    reverse_proxy app:8000 {\n        transport http {\n            " +
			"response_header_timeout 1h\n        }\n    }",
		record.EdgeEnvoy: "    route: { cluster: app, timeout: 0s }   # 15 s otherwise",
		record.EdgeLighttpd: "    proxy.server = ( \"/stream\" => (( \"host\" => \"127.0.0.1\", \"port\" => 8000, " +
			"\"read-timeout\" => 3600 )) )",
		record.EdgeApache:  "    ProxyPass /stream http://app:8000/stream timeout=3600",
		record.EdgeVarnish: "    backend app { .host = \"app\"; .port = \"8000\"; .first_byte_timeout = 3600s; }",
		record.EdgeTraefik: "    serversTransports: { stream: { forwardingTimeouts: { responseHeaderTimeout: 0s } } }",
		record.EdgeALB: "    aws elbv2 modify-load-balancer-attributes --load-balancer-arn \"$LOAD_BALANCER_ARN\" " +
			"--attributes Key=idle_timeout.timeout_seconds,Value=3600",
		record.EdgeCloudflare: "Cloudflare answers 524 after 100 to 120 s without a head, which only Enterprise plans can " +
			"raise: send the head at once",
	}
	edgeReload = edgeFix{
		record.EdgeUnknown: "let the old workers of a reload live longer than the longest stream",
		record.EdgeNginx: "in the main context; or any time longer than the longest stream:\n    " +
			"worker_shutdown_timeout 1h;",
		record.EdgeHAProxy:  "    hard-stop-after 1h   # in global; longer than the longest stream",
		record.EdgeCaddy:    "in the global options; 0 waits without limit:\n    grace_period 1h",
		record.EdgeEnvoy:    "    envoy --drain-time-s 3600 --parent-shutdown-time-s 3700",
		record.EdgeLighttpd: "    server.feature-flags += ( \"server.graceful-shutdown-timeout\" => 3600 )",
		record.EdgeApache:   "reload with apachectl graceful instead of restart:\n    GracefulShutdownTimeout 0",
		record.EdgeVarnish:  "varnishreload loads a new VCL without ending streams: do not restart varnishd",
		record.EdgeTraefik: "    entryPoints: { web: { transport: { lifeCycle: { requestAcceptGraceTimeout: 10s, " +
			"graceTimeOut: 3600s } } } }",
		record.EdgeALB: "    aws elbv2 modify-target-group-attributes --target-group-arn \"$TARGET_GROUP_ARN\" " +
			"--attributes Key=deregistration_delay.timeout_seconds,Value=3600",
		record.EdgeCloudflare: "Cloudflare's restarts cannot be set: let clients resume",
	}
	edgeConnections = edgeFix{
		record.EdgeUnknown: "raise the proxy's limit on connections and its limit on open files above twice the number " +
			"of streams",
		record.EdgeNginx: "    events { worker_connections 16384; }   # two for each proxied stream",
		record.EdgeHAProxy: "    maxconn 20000   # in global and in the frontend; and maxconn of each server line above " +
			"its streams",
		record.EdgeCaddy: "and LimitNOFILE=65536 for its service:\n    reverse_proxy app:8000 {\n        transport " +
			"http {\n            max_conns_per_host 0\n        }\n    }",
		record.EdgeEnvoy: "    circuit_breakers: { thresholds: [ { max_connections: 20000, max_requests: 20000, " +
			"max_pending_requests: 20000 } ] }   # 1024 otherwise",
		record.EdgeLighttpd: "    server.max-connections = 8192\n    server.max-fds = 16384",
		record.EdgeApache:   "    ServerLimit 64\n    ThreadsPerChild 64\n    MaxRequestWorkers 4096",
		record.EdgeVarnish: "    varnishd -p thread_pool_max=10000   # a thread for each stream; and no " +
			".max_connections in the backend",
		record.EdgeTraefik: "    inFlightReq: { amount: 20000 }   # or no such middleware on the router of streams; and " +
			"a higher limit on open files",
		record.EdgeALB: "an ALB grows by itself: look at RejectedConnectionCount and at the limits of the targets",
		record.EdgeCloudflare: "Cloudflare has no such limit that you can set: look at the rate limiting rules and at the " +
			"origin",
	}
	edgeMarkDown = edgeFix{
		record.EdgeUnknown: "let the proxy try a server again within a second of its failure, and never leave out " +
			"all of them",
		record.EdgeNginx: "on each server line of the app's upstream block (by default one failure leaves a server " +
			"out for 10 s):\n    server app:8000 max_fails=0;\nor fail_timeout=1s instead",
		record.EdgeHAProxy: "    default-server check inter 500ms fall 3 rise 1",
		record.EdgeCaddy: "and no fail_duration, or a short one:\n    reverse_proxy app:8000 {\n" +
			"        lb_try_duration 5s\n    }",
		record.EdgeEnvoy: "    outlier_detection: { base_ejection_time: 1s, max_ejection_percent: 50 }",
		record.EdgeLighttpd: "lighttpd disables a server for 1 s after a failure, and longer with disable-time: leave " +
			"that out of proxy.server",
		record.EdgeApache:  "60 s is the default:\n    ProxyPass /stream http://app:8000/stream retry=0",
		record.EdgeVarnish: "a backend is left out by its probe: a shorter .interval and a lower .threshold, or no probe",
		record.EdgeTraefik: "    healthCheck: { path: /healthz, interval: 1s }   # in the service's loadBalancer",
		record.EdgeALB: "a target group whose targets are all unhealthy is used nonetheless: look at the health " +
			"checks' interval and at HealthyHostCount",
		record.EdgeCloudflare: "a pool is left out by its monitor: shorten the monitor's interval, and set a fallback pool",
	}
	edgeHonest = edgeFix{
		record.EdgeUnknown: "speak HTTP/1.1 to the app and have it send a chunked body (no Connection: close without a " +
			"length): then a cut cannot be taken for the end",
		record.EdgeNginx: nginxHonest,
		record.EdgeHAProxy: "    option http-keep-alive   # no option httpclose or forceclose; and the app answers " +
			"HTTP/1.1 with a chunked body",
		record.EdgeCaddy: "and the app answers with a chunked body; a recovering handler in front must not swallow " +
			"the abort:\n    reverse_proxy app:8000 {\n        transport http {\n            versions 1.1\n        }\n    }",
		record.EdgeEnvoy: "speak HTTP/1.1 or 2 to the cluster, with a chunked body from the app: " +
			"http_protocol_options without accept_http_10",
		record.EdgeLighttpd: "    proxy.header = ( \"upgrade\" => \"enable\" )   # lighttpd 1.4.56 or newer speaks " +
			"HTTP/1.1 to the app then; and server.stream-response-body = 2",
		record.EdgeApache: "no SetEnv force-proxy-request-1.0 or proxy-nokeepalive for the location of streams; and " +
			"the app answers HTTP/1.1 with a chunked body",
		record.EdgeVarnish: "the app answers HTTP/1.1 with a chunked body; or:\n    sub vcl_recv { if (req.url ~ " +
			"\"^/stream\") { return (pipe); } }",
		record.EdgeTraefik: "the app answers HTTP/1.1 with a chunked body; no middleware or plugin that recovers from " +
			"the abort of a response",
		record.EdgeALB: "the app answers HTTP/1.1 with a chunked body, and keeps its connections open: keep-alive " +
			"timeout above the ALB's idle timeout",
		record.EdgeCloudflare: "the app answers HTTP/1.1 with a chunked body; in a Worker, pass response.body on and let " +
			"its errors through",
	}
	edgeAbort = edgeFix{
		record.EdgeUnknown: "let the proxy end its request to the app when the client leaves, and do not cache streams",
		record.EdgeNginx:   "no proxy_cache on streams; and in their location:\n    proxy_ignore_client_abort off;",
		record.EdgeHAProxy: "    option abortonclose",
		record.EdgeCaddy: "no stream_close_delay in reverse_proxy: it ends the request to the app with the client " +
			"otherwise",
		record.EdgeEnvoy: "no cache or buffer filter on the route of streams: Envoy resets the request to the app " +
			"with the client otherwise",
		record.EdgeLighttpd: "    server.stream-response-body = 2   # so that it notices the client's end before the " +
			"response is whole",
		record.EdgeApache: "no CacheEnable on streams; with flushpackets it notices at the next write that the client " +
			"has left:\n    ProxyPass /stream http://app:8000/stream flushpackets=on",
		record.EdgeVarnish: "    sub vcl_recv { if (req.url ~ \"^/stream\") { return (pipe); } }   # a fetch goes on " +
			"without its client otherwise",
		record.EdgeTraefik: "no buffering middleware on the router of streams: Traefik ends the request to the app with " +
			"the client otherwise",
		record.EdgeALB: "an ALB ends the connection to the target with the client's: look further in",
		record.EdgeCloudflare: "do not cache streams (Cache-Control: no-store): Cloudflare may fetch a cacheable response " +
			"to its end",
	}
)

// In the app.
var (
	fixRaised = fix{
		diagnose.AnyLanguage: "catch errors while streaming, send the dialect's error event and end the response properly",
		diagnose.Python: "catch errors inside the generator, send the dialect's error event and end properly:\n" +
			"    async def stream():\n        try:\n            async for item in produce():\n                yield item\n" +
			"        except Exception as e:\n            yield error_event(e)",
		diagnose.Golang: "return errors instead of panicking in the handler; once the head is out, write the dialect's " +
			"error event and return:\n" +
			"    defer func() {\n        if p := recover(); p != nil {\n            writeErrorEvent(w, p)\n        }\n    }()",
		diagnose.Node: "await the whole stream inside try; once the head is out:\n    try { await send(res); } catch (e) { " +
			"res.write(errorEvent(e)); res.end(); }",
		diagnose.Java: "catch in the task that writes:\n" +
			"    try {\n        write(emitter);\n    } catch (Exception e) {\n" +
			"        emitter.send(SseEmitter.event().name(\"error\").data(e.getMessage()));\n        emitter.complete();\n    }",
		diagnose.PHP: "use register_shutdown_function for fatal errors; and:\n" +
			"    try { stream(); } catch (\\Throwable $e) { echo error_event($e); flush(); }",
		diagnose.Ruby: "    begin\n      produce { |item| response.stream.write(item) }\n    rescue => e\n      " +
			"response.stream.write(error_event(e))\n    ensure\n      response.stream.close\n    end",
	}
	fixBlocked = fix{
		diagnose.AnyLanguage: "move the blocking call off the loop or thread that serves the streams: a thread pool, or an " +
			"asynchronous client",
		diagnose.Python: "move the blocking call off the loop: await run_in_threadpool(f), or an async client",
		diagnose.Golang: "look for a lock that all handlers wait for, or GOMAXPROCS used up: " +
			"go tool pprof .../debug/pprof/goroutine",
		diagnose.Node: "move the blocking call off the loop: a worker_threads Worker, the async form of the call (no *Sync " +
			"functions)",
		diagnose.Java: "move the blocking call off the event loop: " +
			"Mono.fromCallable(f).subscribeOn(Schedulers.boundedElastic()), " +
			"or virtual threads (spring.threads.virtual.enabled=true)",
		diagnose.PHP: "a PHP-FPM process serves one request: raise pm.max_children; in Swoole, ReactPHP or FrankenPHP " +
			"workers use the asynchronous client",
		diagnose.Ruby: "raise the threads of Puma (threads 5, 32) and its workers; in Falcon use the asynchronous client",
	}
	fixLimit = fix{
		diagnose.AnyLanguage: "raise what limits the streams that are served at once above the number of clients: threads, " +
			"workers, connections of a pool, a semaphore; or refuse the rest with 503 instead of letting them wait",
		diagnose.Python: "raise the limit above the number of clients: gunicorn --workers and --threads (or -k " +
			"uvicorn.workers.UvicornWorker), waitress --threads, a Semaphore, pool_size and max_overflow of the database; " +
			"give a connection back before the stream begins",
		diagnose.Golang: "raise db.SetMaxOpenConns or the size of the semaphore above the number of clients; give a " +
			"connection back before the stream begins",
		diagnose.Node: "raise the size of the pool (pg: max, mysql2: connectionLimit) or of the limiter (p-limit) above " +
			"the number of clients; give a connection back before the stream begins",
		diagnose.Java: "server.setExecutor(Executors.newVirtualThreadPerTaskExecutor()), server.tomcat.threads.max, or " +
			"Hikari's maximumPoolSize above the number of clients; give a connection back before the stream begins",
		diagnose.PHP: "pm.max_children above the number of clients in the pool of PHP-FPM: " +
			"a process serves one stream at a time",
		diagnose.Ruby: "threads 5, 32 and workers in config/puma.rb above the number of clients; pool in database.yml",
	}
	fixPool = fix{
		diagnose.AnyLanguage: "raise the number of threads or processes above the number of streams at once, or stream " +
			"without a thread for each",
		diagnose.Python: "make the generator async; or " +
			"anyio.to_thread.current_default_thread_limiter().total_tokens = 200 at startup",
		diagnose.Golang: "raise the size of the semaphore or worker pool that the handler waits for, or db.SetMaxOpenConns",
		diagnose.Node:   "UV_THREADPOOL_SIZE=64 for file system, DNS and crypto calls; a larger pool in the database client",
		diagnose.Java: "server.tomcat.threads.max=400, or spring.threads.virtual.enabled=true; and a task executor of its " +
			"own for streams: spring.task.execution.pool.max-size=400",
		diagnose.PHP:  "one process for each stream at once:\n    pm.max_children = 200",
		diagnose.Ruby: "in config/puma.rb, one thread for each stream at once:\n    threads 5, 64",
	}
	fixNoShutdown = fix{
		diagnose.AnyLanguage: "on SIGTERM stop accepting, let the open streams end, then exit; without a shell between the " +
			"container and the app that keeps the signal",
		diagnose.Python: "run the app under a server that drains: exec uvicorn main:app --timeout-graceful-shutdown 120 " +
			"(or gunicorn --graceful-timeout 120), without a shell in between and without signal handlers of your own",
		diagnose.Golang: "ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM); defer stop(); go " +
			"srv.ListenAndServe(); <-ctx.Done(); srv.Shutdown(timeout) with a timeout above the longest stream",
		diagnose.Node: "open streams end by themselves, new ones go elsewhere:\n" +
			"    process.on('SIGTERM', () => server.close(() => process.exit(0)));",
		diagnose.Java: "server.shutdown=graceful and spring.lifecycle.timeout-per-shutdown-phase=120s; without Spring: " +
			"Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(120)))",
		diagnose.PHP: "process_control_timeout = 120s in php-fpm.conf, and stop with SIGQUIT: " +
			"STOPSIGNAL SIGQUIT in the Dockerfile",
		diagnose.Ruby: "Puma drains on SIGTERM: start it without a shell in between, with worker_shutdown_timeout 120:\n" +
			"    exec bundle exec puma",
	}
	fixGrace = fix{
		diagnose.AnyLanguage: "give the app longer than the longest stream to end after SIGTERM: its own graceful timeout, " +
			"and docker stop -t 130 or terminationGracePeriodSeconds: 130",
		diagnose.Python: "give the app longer than the longest stream: gunicorn --graceful-timeout 120, uvicorn " +
			"--timeout-graceful-shutdown 120, docker stop -t 130",
		diagnose.Golang: "give http.Server.Shutdown a context that lasts longer than the longest stream, and the process " +
			"the same: docker stop -t 130, terminationGracePeriodSeconds: 130",
		diagnose.Node: "wait for server.close before process.exit, for longer than the longest stream; and give the " +
			"process the same: docker stop -t 130, terminationGracePeriodSeconds: 130",
		diagnose.Java: "spring.lifecycle.timeout-per-shutdown-phase=120s with server.shutdown=graceful; and " +
			"docker stop -t 130, terminationGracePeriodSeconds: 130",
		diagnose.PHP: "process_control_timeout = 120s in php-fpm.conf; and " +
			"docker stop -t 130, terminationGracePeriodSeconds: 130",
		diagnose.Ruby: "worker_shutdown_timeout 120 and force_shutdown_after 120 in config/puma.rb; and " +
			"docker stop -t 130, terminationGracePeriodSeconds: 130",
	}
	fixLeak = fix{
		diagnose.AnyLanguage: "stop when the client leaves: end the call to the model with the request",
		diagnose.Python: "stop when the client leaves: async def gen(): ... if await request.is_disconnected(): return; " +
			"cancel the call to the model",
		diagnose.Golang: "stop when the client leaves: pass r.Context() to the model's call and select on its Done",
		diagnose.Node:   "stop when the client leaves:\n    res.on('close', () => controller.abort());",
		diagnose.Java: "stop when the client leaves: emitter.onError(e -> call.cancel()), " +
			"emitter.onCompletion(call::cancel); in WebFlux doOnCancel",
		diagnose.PHP: "stop when the client leaves: call ignore_user_abort(false), and after each flush():\n    if " +
			"(connection_aborted()) { exit; }",
		diagnose.Ruby: "rescue ActionController::Live::ClientDisconnected, IOError around the loop, and end the call to " +
			"the model in ensure",
	}
	fixStall = fix{
		diagnose.AnyLanguage: "bound the wait for the model or the queue, and send an error event when the time is over",
		diagnose.Python: "bound the wait for the model or the queue: asyncio.timeout(30), " +
			"and send an error event when it fires",
		diagnose.Golang: "bound the wait for the model or the queue: context.WithTimeout(r.Context(), 30*time.Second), " +
			"and send an error event when it fires",
		diagnose.Node: "bound the wait for the model or the queue: AbortSignal.timeout(30_000), " +
			"and send an error event when it fires",
		diagnose.Java: "bound the wait for the model or the queue: future.get(30, TimeUnit.SECONDS) or " +
			"Flux.timeout(Duration.ofSeconds(30)), and send an error event when it fires",
		diagnose.PHP: "bound the wait for the model: CURLOPT_LOW_SPEED_LIMIT 1 with CURLOPT_LOW_SPEED_TIME 30, and send an " +
			"error event when it fires",
		diagnose.Ruby: "bound the wait for the model: http.read_timeout = 30, and send an error event on Net::ReadTimeout",
	}
	fixProducer = fix{
		diagnose.AnyLanguage: "tie the heartbeat to the producer of the answer: when that has died or takes too long, send " +
			"an error event and end the stream",
		diagnose.Python: "tie the heartbeat to the producer: while not task.done(): await asyncio.wait({task}, timeout=10) " +
			"or yield \": ping\\n\\n\"; then await task, which raises what it died of, and send an error event",
		diagnose.Golang: "tie the heartbeat to the producer: in its select add case err := <-done: send an error event and " +
			"return; close done with defer in the producer",
		diagnose.Node: "tie the heartbeat to the producer: producer.catch(e => res.write(`event: error\\ndata: " +
			"${JSON.stringify({error: e.message})}\\n\\n`)).finally(() => { clearInterval(t); res.end() })",
		diagnose.Java: "tie the heartbeat to the producer: future.whenComplete((v, e) -> { heartbeat.cancel(false); " +
			"if (e != null) emitter.completeWithError(e); else emitter.complete(); })",
		diagnose.PHP: "tie the heartbeat to the producer: in its loop look at feof($upstream) or curl_multi_info_read(), " +
			"and send an error event when it has ended",
		diagnose.Ruby: "tie the heartbeat to the producer: beat while producer.alive?; then producer.value, which raises " +
			"what it died of, and send an error event",
	}
	fixFirst = fix{
		diagnose.AnyLanguage: "send the head and a first event (or a heartbeat) before the slow work; do retrieval at " +
			"startup or beside it",
		diagnose.Python: "return the StreamingResponse at once and do the slow work inside the generator, " +
			"after a first yield \": ping\\n\\n\"",
		diagnose.Golang: "before the slow work:\n    w.WriteHeader(200)\n    io.WriteString(w, \": ping\\n\\n\")\n    " +
			"http.NewResponseController(w).Flush()",
		diagnose.Node: "before the slow work:\n    res.flushHeaders();\n    res.write(': ping\\n\\n');",
		diagnose.Java: "before the slow work, which runs in an executor:\n" +
			"    emitter.send(SseEmitter.event().comment(\"ping\"));",
		diagnose.PHP:  "before the slow work:\n    echo \": ping\\n\\n\"; ob_flush(); flush();",
		diagnose.Ruby: "before the slow work:\n    response.stream.write(\": ping\\n\\n\")",
	}
	fixHeartbeat = fix{
		diagnose.AnyLanguage: "while nothing is ready, write a comment (\": ping\" and an empty line) every few seconds, " +
			"at most every third of the timeout",
		diagnose.Python: "while nothing is ready, send a heartbeat (sse-starlette: ping=10):\n" +
			"    try:\n        item = await asyncio.wait_for(q.get(), 10)\n    except TimeoutError:\n        yield \": " +
			"ping\\n\\n\"",
		diagnose.Golang: "while nothing is ready, send a heartbeat:\n" +
			"    select {\n    case item := <-items:\n        write(w, item)\n    case <-time.After(10 * time.Second):\n" +
			"        io.WriteString(w, \": ping\\n\\n\")\n        rc.Flush()\n    }",
		diagnose.Node: "while nothing is ready, send a heartbeat:\n" +
			"    const t = setInterval(() => res.write(': ping\\n\\n'), 10_000);\n    res.on('close', () => clearInterval(t));",
		diagnose.Java: "while nothing is ready, send a heartbeat: scheduler.scheduleAtFixedRate(() -> " +
			"emitter.send(SseEmitter.event().comment(\"ping\")), 10, 10, SECONDS)",
		diagnose.PHP: "while nothing is ready, send a heartbeat:\n    if (time() - $last > 10) { echo \": ping\\n\\n\"; " +
			"ob_flush(); flush(); $last = time(); }",
		diagnose.Ruby: "while nothing is ready, send a heartbeat: ActionController::Live::SSE, sse.write or " +
			"response.stream.write(\": ping\\n\\n\") every 10 s from a thread of its own",
	}
	fixResources = fix{
		diagnose.AnyLanguage: "keep what the stream reads open until its last write: open it inside the function that " +
			"produces the stream, or at startup",
		diagnose.Python: "open the resource inside the generator (or at startup), not in a `with` around " +
			"StreamingResponse; FastAPI >= 0.118 for yield dependencies",
		diagnose.Golang: "close what the stream reads after its last write: no defer in a function that returns before the " +
			"goroutine that writes",
		diagnose.Node: "close what the stream reads in its 'close' event, not when the handler returns",
		diagnose.Java: "open the session inside the task that writes: no @Transactional or try-with-resources around a " +
			"method that returns the SseEmitter or StreamingResponseBody",
		diagnose.PHP: "open what the stream reads inside the callback of StreamedResponse, " +
			"and not in the controller that returns it",
		diagnose.Ruby: "open what the body reads inside its each, and close it in its close: a block around the action " +
			"ends before the body runs",
	}
	fixFlush = fix{
		diagnose.AnyLanguage: "write and flush each event by itself; nothing that collects or compresses the body",
		diagnose.Python: "yield each event by itself; no middleware that reads the whole body (b\"\".join), no " +
			"GZipMiddleware on streams",
		diagnose.Golang: "call Flush after every event: http.NewResponseController(w).Flush(); no http.TimeoutHandler, no " +
			"writer that hides Flush",
		diagnose.Node: "res.write each event by itself and res.flush() behind compression(); no body that is collected first",
		diagnose.Java: "call flush after every event: response.flushBuffer(); no ContentCachingResponseWrapper or " +
			"ShallowEtagHeaderFilter on streams",
		diagnose.PHP: "output_buffering = Off, zlib.output_compression = Off; while (ob_get_level()) ob_end_flush(); and " +
			"flush() after every event",
		diagnose.Ruby: "include ActionController::Live and write each event to response.stream; no Rack::ETag, " +
			"Rack::Deflater or Rack::ContentLength on streams",
	}
	fixCompression = fix{
		diagnose.AnyLanguage: "do not compress streams in the app, or flush the compressor after each event",
		diagnose.Python: "exclude text/event-stream from GZipMiddleware (Starlette >= 0.46 does), or flush the compressor " +
			"after each event",
		diagnose.Golang: "leave text/event-stream out of the compressing handler, or call its Flush after each event",
		diagnose.Node: "compression({ filter: (req, res) => !/event-stream/.test(res.getHeader('Content-Type')) }); or " +
			"res.flush() after each event",
		diagnose.Java: "leave text/event-stream out of server.compression.mime-types",
		diagnose.PHP:  "zlib.output_compression = Off",
		diagnose.Ruby: "    use Rack::Deflater, " +
			"if: ->(env, status, headers, body) { headers['content-type'] !~ /event-stream/ }",
	}
	fixSwallowed = fix{
		diagnose.AnyLanguage: "do not end the body cleanly after an error: abort the connection, or write an error event",
		diagnose.Python: "replace BaseHTTPMiddleware (@app.middleware(\"http\")) by a pure ASGI middleware, or catch in " +
			"the generator and send an error event",
		diagnose.Golang: "in a recovering middleware, panic(http.ErrAbortHandler) once the head is out, or write an error " +
			"event: a return ends the body cleanly",
		diagnose.Node: "on an error after the head: res.destroy(err), or write an error event; " +
			"res.end() ends the body cleanly",
		diagnose.Java: "emitter.completeWithError(e), not complete(); a filter that catches must rethrow once the response " +
			"is committed",
		diagnose.PHP: "write an error event in the handler of exceptions: PHP ends the body cleanly after a fatal error " +
			"that follows the head",
		diagnose.Ruby: "rescue around the loop, write an error event, then close: " +
			"response.stream.close alone ends the body cleanly",
	}
	fixEnd = fix{
		diagnose.AnyLanguage: "send the terminal on the success path only, and an error event on every other; let errors " +
			"end the connection",
		diagnose.Python: "yield the terminal as the last line of the generator, not in finally; except Exception as e: " +
			"yield error_event(e); let other exceptions go on",
		diagnose.Golang: "write the terminal after the loop only if its error is nil; else write an error event, or " +
			"panic(http.ErrAbortHandler)",
		diagnose.Node: "write the terminal after for await, inside try; in catch: res.write(errorEvent(e)) or " +
			"res.destroy(e), not res.end() alone",
		diagnose.Java: "send the terminal before emitter.complete(); on every error completeWithError(e)",
		diagnose.PHP: "echo the terminal after the loop, and an error event in catch (\\Throwable $e); look for " +
			"max_execution_time and exit",
		diagnose.Ruby: "write the terminal after the loop; rescue => e writes an error event; ensure only closes",
	}
	fixOwnIdle = fix{
		diagnose.AnyLanguage: "raise the read timeout of the client that the app asks its model with, and send an error " +
			"event when it fires",
		diagnose.Python: "httpx.Timeout(10, read=300) or OpenAI(timeout=…) for the call to the model; on ReadTimeout or " +
			"TimeoutError yield an error event instead of ending",
		diagnose.Golang: "no http.Client.Timeout for a streamed answer (it counts the body, too): a context for each " +
			"request; on its error write an error event",
		diagnose.Node: "new Agent({ bodyTimeout: 0 }) for undici's fetch (300 s otherwise), timeout of the SDK; on its " +
			"error write an error event",
		diagnose.Java: "readTimeout(Duration.ZERO) for OkHttp, responseTimeout for WebClient; on TimeoutException " +
			"completeWithError(e)",
		diagnose.PHP: "default_socket_timeout = 300, CURLOPT_LOW_SPEED_TIME; look at the return value of fread and " +
			"curl_errno, and send an error event",
		diagnose.Ruby: "http.read_timeout = 300 (60 otherwise); rescue Net::ReadTimeout, and write an error event",
	}
	fixDeadline = fix{
		diagnose.AnyLanguage: "raise the total limit on one request in the app's server, its worker manager and the client " +
			"of its model above the longest stream",
		diagnose.Python: "gunicorn -k uvicorn.workers.UvicornWorker (a sync worker's --timeout counts the whole request); " +
			"no asyncio.timeout around the complete response; OpenAI(timeout=600)",
		diagnose.Golang: "http.NewResponseController(w).SetWriteDeadline(time.Time{}) in the handler of streams, or " +
			"http.Server{WriteTimeout: 0}; no http.Client.Timeout towards the model",
		diagnose.Node: "res.setTimeout(0), server.requestTimeout = 0; no AbortSignal.timeout(…) around the complete response",
		diagnose.Java: "new SseEmitter(0L), spring.mvc.async.request-timeout=-1, asyncContext.setTimeout(0); " +
			"no callTimeout in OkHttp",
		diagnose.PHP: "request_terminate_timeout = 0 in the pool of PHP-FPM, and set_time_limit(0) in the script; no " +
			"CURLOPT_TIMEOUT towards the model",
		diagnose.Ruby: "no rack-timeout on streams (Rack::Timeout service_timeout: 0); timeout in config/unicorn.rb above " +
			"the longest stream; Puma has no such limit",
	}
	fixCap = fix{
		diagnose.AnyLanguage: "look for a limit on the size of an answer in the app: max_tokens, a bounded buffer, a " +
			"middleware that reads the body",
		diagnose.Python: "look for max_tokens (is finish_reason \"length\"?), a bounded queue, or a middleware that reads " +
			"and cuts the body",
		diagnose.Golang: "look for io.LimitReader, bufio.Scanner (64 KiB a line without Buffer) " +
			"and io.CopyN on the way of the body",
		diagnose.Node: "look for maxContentLength and maxBodyLength (axios), and a stream whose highWaterMark fills " +
			"without being read",
		diagnose.Java: "look for spring.codec.max-in-memory-size (256 KiB otherwise) and a cutting filter; " +
			"maxInMemorySize(-1) in ExchangeStrategies",
		diagnose.PHP:  "look for memory_limit, a length in fread or stream_get_contents, and pm.status of the pool",
		diagnose.Ruby: "look for a length in read or readpartial, and a Rack middleware that cuts the body",
	}
	fixWorkerTimeout = fix{
		diagnose.AnyLanguage: "use a worker that does not count a whole request as one sign of life, or raise its timeout " +
			"above the longest stream",
		diagnose.Python: "gunicorn -k uvicorn.workers.UvicornWorker (or -k gthread); or --timeout above the longest stream",
		diagnose.Golang: "http.Server{WriteTimeout: 0}, or SetWriteDeadline(time.Time{}) in the handler of streams",
		diagnose.Node: "PM2 and cluster set no limit on a request: " +
			"look at server.requestTimeout and at a watchdog of your own",
		diagnose.Java: "spring.mvc.async.request-timeout=-1, new SseEmitter(0L)",
		diagnose.PHP:  "request_terminate_timeout = 0 in the pool of PHP-FPM, and set_time_limit(0)",
		diagnose.Ruby: "timeout above the longest stream in config/unicorn.rb; or Puma, " +
			"whose worker_timeout does not count a request",
	}
	fixRecycled = fix{
		diagnose.AnyLanguage: "do not recycle workers that serve streams, or let them end their streams first",
		diagnose.Python: "no --max-requests on stream workers; or --timeout above the longest stream, " +
			"with --max-requests-jitter",
		diagnose.Golang: "let what replaces the process wait for http.Server.Shutdown",
		diagnose.Node:   "no max_memory_restart in PM2 below what streams need; kill_timeout above the longest stream",
		diagnose.Java:   "let what replaces the process wait: server.shutdown=graceful",
		diagnose.PHP:    "pm.max_requests = 0, and process_control_timeout above the longest stream",
		diagnose.Ruby: "no puma_worker_killer with rolling restarts below the longest stream; " +
			"worker_shutdown_timeout above it",
	}
	fixMemory = fix{
		diagnose.AnyLanguage: "raise the memory limit for this number of streams, or cap concurrency; bound every buffer " +
			"that a stream holds",
		diagnose.Python: "raise the memory limit for this number of streams, or cap concurrency: uvicorn " +
			"--limit-concurrency N; bound every queue and buffer that a stream holds",
		diagnose.Golang: "raise the memory limit, set GOMEMLIMIT to nine tenths of it, and cap concurrency with a " +
			"semaphore; bound every channel and buffer that a stream holds",
		diagnose.Node: "raise the memory limit, set node --max-old-space-size below it, and wait for 'drain' when " +
			"res.write returns false",
		diagnose.Java: "raise the memory limit, -XX:MaxRAMPercentage=75, and cap concurrency; " +
			"bound every queue that an emitter fills",
		diagnose.PHP:  "pm.max_children times memory_limit below the container's limit",
		diagnose.Ruby: "fewer Puma workers or threads, or a higher memory limit; MALLOC_ARENA_MAX=2",
	}
	fixLength = fix{
		diagnose.AnyLanguage: "never set Content-Length on a stream; a middleware that changes bodies must drop it",
		diagnose.Python: "never set Content-Length on a StreamingResponse; a middleware that changes bodies must drop it: " +
			"del response.headers[\"content-length\"]",
		diagnose.Golang: "never set Content-Length on a stream; a handler that changes bodies must drop it: " +
			"w.Header().Del(\"Content-Length\")",
		diagnose.Node: "never set Content-Length on a stream; a middleware that changes bodies must drop it: " +
			"res.removeHeader('Content-Length')",
		diagnose.Java: "never call setContentLength for a stream; a filter that changes bodies must not pass it on",
		diagnose.PHP:  "never send header('Content-Length: …') for a stream, nor pass it on from an upstream answer",
		diagnose.Ruby: "never set content-length on a stream; " +
			"a Rack middleware that changes bodies must delete it from headers",
	}
)
