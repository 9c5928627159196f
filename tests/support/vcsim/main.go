// SPDX-License-Identifier: Apache-2.0

// A vCenter for tests: govmomi's simulator behind a TLS front of ours, which adds what the simulator lacks
// (QueryTpmAttestationReport) and misbehaves on request.
//
//	vcsim DIR
//
// DIR/cert.pem and DIR/key.pem are read at every handshake, DIR/control.json at every request:
//
//	{"hosts": {NAME: {"uuid", "boot", "state", "accepted": bool, "attested", "report": XML or absent}},
//	 "expire": N (sessions of before end whenever it grows), "answer": "", "hang", "huge", "entities", "html"}
//
// DIR/ready holds ADDR:PORT once it serves; DIR/calls.log a line for each call.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

type host struct {
	UUID, State, Report string
	Boot, Attested      *time.Time
	Accepted            *bool
	Message             string
}

type control struct {
	Hosts  map[string]host
	Expire int
	Answer string
}

type front struct {
	dir   string
	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	epoch int
	dead  map[string]bool
	live  map[string]bool
}

var (
	operation = regexp.MustCompile(`<(?:[a-zA-Z0-9]+:)?Body[^>]*>\s*<(?:[a-zA-Z0-9]+:)?([A-Za-z_]+)`)
	this      = regexp.MustCompile(`<(?:[a-zA-Z0-9]+:)?_this[^>]*>([^<]*)<`)
)

const envelope = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`

func fault(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, envelope, `<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>The session is not authenticated.</faultstring><detail><`+
		kind+`Fault xmlns="urn:vim25" xsi:type="`+kind+`"></`+kind+`Fault></detail></soapenv:Fault>`)
}

func (f *front) control() control {
	var c control
	text, err := os.ReadFile(filepath.Join(f.dir, "control.json"))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		log.Print("control.json: ", err)
	}
	return c
}

// What control.json says of the simulator's own objects.
func apply(c control) {
	for _, e := range simulator.Map.All("HostSystem") {
		h := e.(*simulator.HostSystem)
		want, ok := c.Hosts[h.Name]
		if !ok {
			continue
		}
		h.Hardware.SystemInfo.Uuid = want.UUID
		h.Summary.Hardware.Uuid = want.UUID
		h.Runtime.BootTime = want.Boot
		h.Runtime.ConnectionState = types.HostSystemConnectionStateConnected
		if want.State != "" {
			h.Runtime.ConnectionState = types.HostSystemConnectionState(want.State)
		}
		h.Summary.TpmAttestation = nil
		if want.Accepted != nil {
			a := &types.HostTpmAttestationInfo{Status: "notAccepted"}
			if *want.Accepted {
				a.Status = "accepted"
			}
			if want.Attested != nil {
				a.Time = *want.Attested
			}
			if want.Message != "" {
				a.Message = &types.LocalizableMessage{Key: "vob", Message: want.Message}
			}
			h.Summary.TpmAttestation = a
		}
	}
}

func misbehave(w http.ResponseWriter, r *http.Request, how string) bool {
	switch how {
	case "hang":
		<-r.Context().Done()
	case "huge":
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, envelope, "<x>"+strings.Repeat("a", 9<<20)+"</x>")
	case "entities":
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/passwd">]><e>&a;</e>`)
	case "html":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><body>sign in</body></html>")
	default:
		return false
	}
	return true
}

func (f *front) report(w http.ResponseWriter, c control, id string) {
	h, _ := simulator.Map.Get(types.ManagedObjectReference{Type: "HostSystem", Value: id}).(*simulator.HostSystem)
	if h == nil {
		fault(w, "ManagedObjectNotFound")
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(w, envelope, `<QueryTpmAttestationReportResponse xmlns="urn:vim25">`+c.Hosts[h.Name].Report+`</QueryTpmAttestationReportResponse>`)
}

// Is it a cookie of a session that has ended?
func (f *front) ended(r *http.Request, c control) bool {
	if c.Expire > f.epoch {
		f.epoch = c.Expire
		for k := range f.live {
			f.dead[k] = true
		}
		f.live = map[string]bool{}
	}
	k, err := r.Cookie("vmware_soap_session")
	if err != nil {
		return false
	}
	if !f.dead[k.Value] {
		f.live[k.Value] = true
	}
	return f.dead[k.Value]
}

// The simulator says 6.5, where clients do not know summary.tpmAttestation yet.
const versions = `<?xml version="1.0" encoding="UTF-8"?>
<namespaces version="1.0"><namespace><name>urn:vim25</name><version>6.7</version><priorVersions><version>6.5</version><version>6.0</version></priorVersions></namespace></namespaces>`

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/vimServiceVersions.xml") {
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, versions)
		return
	}
	body, _ := io.ReadAll(r.Body)
	op, obj := "", ""
	if m := operation.FindSubmatch(body); m != nil {
		op = string(m[1])
	}
	if m := this.FindSubmatch(body); m != nil {
		obj = string(m[1])
	}
	f.mu.Lock()
	c := f.control()
	apply(c)
	ended := f.ended(r, c)
	calls, _ := os.OpenFile(filepath.Join(f.dir, "calls.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	fmt.Fprintln(calls, op, obj)
	calls.Close()
	f.mu.Unlock()
	open := op == "RetrieveServiceContent" || op == "Login"
	switch {
	case misbehave(w, r, c.Answer):
	case ended && !open:
		fault(w, "NotAuthenticated")
	case op == "QueryTpmAttestationReport":
		if _, err := r.Cookie("vmware_soap_session"); err != nil {
			fault(w, "NotAuthenticated")
			return
		}
		f.report(w, c, obj)
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		f.proxy.ServeHTTP(w, r)
	}
}

func main() {
	dir := os.Args[1]
	model := simulator.VPX()
	model.ClusterHost = 2
	model.Host = 1
	model.Machine = 0
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	model.ServiceContent.About.ApiVersion = "6.7"
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword("assay", os.Getenv("VCSIM_PASSWORD"))}
	simulator.Map.Get(types.ManagedObjectReference{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance).Content.About.ApiVersion = "6.7"
	inner := model.Service.NewServer()
	f := &front{dir: dir, dead: map[string]bool{}, live: map[string]bool{}}
	f.proxy = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: inner.URL.Host})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: f, TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
		return &pair, err
	}}}
	ready := filepath.Join(dir, "ready")
	if err := os.WriteFile(ready+".new", []byte(listener.Addr().String()), 0o600); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(ready+".new", ready); err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.ServeTLS(listener, "", ""))
}
