// Two questions for each line read: what net/http was told, on one line.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
)

func ask(question string, stream bool) string {
	body := fmt.Sprintf(`{"model": "gpt-4o", "stream": %t, "messages": [{"role": "user", "content": "%s"}]}`, stream, question)
	request, err := http.NewRequest("POST", "https://api.openai.com/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sk-test")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		panic(fmt.Sprint(response.Status, err))
	}
	return strings.Join(strings.Fields(string(answer)), "")
}

func main() {
	fmt.Println(strings.TrimPrefix(runtime.Version(), "go"))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		plain := ask("What is the capital of France?", false)
		stream := ask("Name the planets of the solar system.", true)
		fmt.Printf("%s\t%s\n", plain, stream)
	}
}
