import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/** An ordinary server on the JDK's own HttpServer; script.py says what its variables mean. */
public class Server {
    static String env(String name, String or) {
        String v = System.getenv(name);
        return v == null || v.isEmpty() ? or : v;
    }

    static int[] span(String name, String or) {
        String[] p = env(name, or).split("-");
        return new int[] {Integer.parseInt(p[0]), Integer.parseInt(p[p.length - 1])};
    }

    static final String SHAPE = env("SHAPE", "openai"), BUG = env("BUG", "");
    static final int AT = Integer.parseInt(env("AT", "6")), SHARE = Integer.parseInt(env("SHARE", "100"));
    static final int LIMIT = Integer.parseInt(env("LIMIT", "5"));
    static final double SECONDS = Double.parseDouble(env("SECONDS", "2"));
    static final int[] EVENTS = span("EVENTS", "20-60"), GAP = span("GAP", "20-60"), SIZE = span("SIZE", "4-40");

    static int between(int[] s) {
        return s[0] + ThreadLocalRandom.current().nextInt(s[1] - s[0] + 1);
    }

    static String word() {
        StringBuilder b = new StringBuilder();
        for (int n = between(SIZE); n > 0; n--) b.append((char) ('a' + ThreadLocalRandom.current().nextInt(26)));
        return b.append(' ').toString();
    }

    static String chunk(String delta, String reason) {
        return "data: {\"id\":\"chatcmpl-7f3a\",\"object\":\"chat.completion.chunk\",\"created\":1764240000,\"model\":\"small-1\","
            + "\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":" + reason + "}]}\n\n";
    }

    static String piece(String text) {
        switch (SHAPE) {
            case "text": return text;
            case "ndjson": return "{\"token\":\"" + text + "\",\"done\":false}\n";
            case "sse": return "data: {\"text\":\"" + text + "\"}\n\n";
            default: return chunk("{\"content\":\"" + text + "\"}", "null");
        }
    }

    static String type() {
        return SHAPE.equals("ndjson") ? "application/x-ndjson" : SHAPE.equals("text") ? "text/plain; charset=utf-8" : "text/event-stream";
    }

    static String terminal() {
        switch (SHAPE) {
            case "text": return "";
            case "ndjson": return "{\"token\":\"\",\"done\":true}\n";
            case "sse": return "event: done\ndata: {}\n\n";
            default: return "data: [DONE]\n\n";
        }
    }

    static String failure() {
        String body = "{\"error\":{\"message\":\"upstream model overloaded\",\"type\":\"server_error\"}}";
        return SHAPE.equals("sse") ? "event: error\ndata: " + body + "\n\n" : SHAPE.equals("ndjson") ? body + "\n" : "data: " + body + "\n\n";
    }

    static void write(OutputStream out, String s) throws IOException {
        out.write(s.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    static void answer(OutputStream out) throws Exception {
        String bug = ThreadLocalRandom.current().nextInt(100) < SHARE ? BUG : "";
        for (int i = 0, n = between(EVENTS); i < n; i++) {
            long wait = between(GAP);
            if (i == AT) {
                if (bug.equals("raise")) throw new IllegalStateException("vector store is closed");
                if (bug.equals("stop")) return;
                if (bug.equals("inband")) {
                    write(out, failure());
                    return;
                }
                if (bug.equals("stall")) wait = (long) (SECONDS * 1000);
            }
            Thread.sleep(wait);
            write(out, piece(word()));
        }
        if (SHAPE.equals("openai")) write(out, chunk("{}", "\"stop\""));
        if (bug.equals("open")) Thread.sleep(60000);
        if (!bug.equals("unfinished")) write(out, terminal());
    }

    static void handle(HttpExchange x) throws IOException {
        try {
            x.getRequestBody().readAllBytes();
            String path = x.getRequestURI().getPath();
            if (path.equals("/health")) {
                x.sendResponseHeaders(200, 2);
                x.getResponseBody().write("ok".getBytes());
                return;
            }
            if (path.equals("/login") || BUG.equals("redirect")) {
                x.getResponseHeaders().set("Location", path.equals("/login") ? "/stream" : "/login");
                x.sendResponseHeaders(302, -1);
                return;
            }
            if (BUG.equals("status")) {
                x.sendResponseHeaders(503, -1);
                return;
            }
            x.getResponseHeaders().set("Content-Type", type());
            x.sendResponseHeaders(200, 0);
            answer(x.getResponseBody());
            x.getResponseBody().close();
        } catch (Exception e) {
            e.printStackTrace();
        } finally {
            x.close();
        }
    }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 200);
        ExecutorService pool = BUG.equals("limit") ? Executors.newFixedThreadPool(LIMIT) : Executors.newCachedThreadPool();
        server.createContext("/", Server::handle);
        server.setExecutor(pool);
        server.start();
        System.out.println("started");
    }
}
