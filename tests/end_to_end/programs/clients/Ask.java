import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Scanner;

/** Two questions for each line read: what java.net.http was told, on one line. */
class Ask {
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        System.out.println(System.getProperty("java.version"));
        for (Scanner lines = new Scanner(System.in); lines.hasNextLine(); lines.nextLine()) {
            String plain = ask("What is the capital of France?", false);
            String stream = ask("Name the planets of the solar system.", true);
            System.out.println(plain + "\t" + stream);
        }
    }

    static String ask(String question, boolean stream) throws Exception {
        String body = "{\"model\": \"gpt-4o\", \"stream\": " + stream
                + ", \"messages\": [{\"role\": \"user\", \"content\": \"" + question + "\"}]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://api.openai.com/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer sk-test")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IllegalStateException(response.body());
        return response.body().replaceAll("\\s", "");
    }
}
