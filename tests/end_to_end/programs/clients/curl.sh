# Two questions for each line read: what curl was told, on one line. $1: --http1.1 or --http2
curl --version | sed -n '1s/curl \([0-9.]*\).*/\1/p'
ask() {
    curl -sS --fail "$1" https://api.openai.com/v1/chat/completions \
        -H 'Content-Type: application/json' -H 'Authorization: Bearer sk-test' \
        -d "{\"model\": \"gpt-4o\", \"stream\": $3, \"messages\": [{\"role\": \"user\", \"content\": \"$2\"}]}" \
        | tr -d '\n'
}
while read -r _; do
    plain=$(ask "$1" 'What is the capital of France?' false) || exit
    stream=$(ask "$1" 'Name the planets of the solar system.' true) || exit
    printf '%s\t%s\n' "$plain" "$stream"
done
