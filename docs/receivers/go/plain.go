package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxBody   = 1 << 20
	tolerance = 5 * time.Minute
)

var (
	key  []byte
	seen sync.Map // In production, store the ids in a database, in a unique column.
)

func verify(body []byte, header http.Header) error {
	id, timestamp, signatures := header.Get("webhook-id"), header.Get("webhook-timestamp"), header.Get("webhook-signature")
	if id == "" || timestamp == "" || signatures == "" {
		return errors.New("a webhook header is missing")
	}
	// Rejects replays: a recorded call has a valid signature, but an old timestamp.
	sent, err := strconv.ParseUint(timestamp, 10, 63)
	if err != nil || time.Since(time.Unix(int64(sent), 0)).Abs() > tolerance {
		return errors.New("webhook-timestamp is not within 5 minutes of now")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	// During a rotation there are two signatures, and one match is enough.
	for _, given := range strings.Split(signatures, " ") {
		// hmac.Equal takes constant time, so timing reveals nothing about the expected signature.
		if hmac.Equal([]byte(given), []byte(expected)) {
			return nil
		}
	}
	return errors.New("no signature matches")
}

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
	if err := verify(body, r.Header); err != nil {
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
	if secret == "" {
		log.Fatal("Set WEBHOOK_SECRET to the webhook's secret.")
	}
	// whsec_ is followed by the key in base64. Any other secret is itself the key.
	key = []byte(secret)
	if strings.HasPrefix(secret, "whsec_") {
		decoded, err := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
		if err != nil {
			log.Fatal("WEBHOOK_SECRET: ", err)
		}
		key = decoded
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
