package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const maxBody = 1 << 20

var (
	webhook *standardwebhooks.Webhook
	seen    sync.Map // In production, store the ids in a database, in a unique column.
)

func receive(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "send a POST", http.StatusMethodNotAllowed)
		return
	}
	// The raw bytes: re-serialized JSON would not match the signature.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body is too large, or was cut off", http.StatusRequestEntityTooLarge)
		return
	}
	// Checks the signatures in constant time and rejects old timestamps.
	if err := webhook.Verify(body, r.Header); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	event := struct{ Type string }{"unknown"}
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, "the body is not a JSON object", http.StatusBadRequest)
		return
	}
	id := r.Header.Get("webhook-id")
	if _, again := seen.LoadOrStore(id, true); again {
		fmt.Println(event.Type, id, "again")
	} else {
		// Put the event into a queue here: processing must not delay the response.
		fmt.Println(event.Type, id)
	}
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	secret := os.Getenv("WEBHOOK_SECRET")
	if !strings.HasPrefix(secret, "whsec_") {
		// Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
		log.Fatal("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.")
	}
	var err error
	if webhook, err = standardwebhooks.NewWebhook(secret); err != nil {
		log.Fatal("WEBHOOK_SECRET: ", err)
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "4040"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening")
	server := http.Server{Handler: http.HandlerFunc(receive), ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
