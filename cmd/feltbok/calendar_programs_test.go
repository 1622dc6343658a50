package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// calendarProgram keeps calendars, and was not written by us.
type calendarProgram interface {
	// take lets a calendar have an invitation or a cancellation that came by mail.
	take(calendar string, m calendarMail)
	// count says how many appointments the program itself finds in a calendar that overlap [from, to).
	count(calendar string, from, to time.Time) int
}

// newPrograms starts all of them, khal once for people in the zone and once for people elsewhere. Where one is missing that
// only some machines have, the test is skipped; `make check` installs them and demands them.
func newPrograms(t *testing.T, zone, elsewhere string) map[string]calendarProgram {
	t.Helper()
	for _, command := range [][]string{
		{"khal", "--version"}, {"radicale", "--version"}, {"dbus-run-session", "--version"}, {"test", "-x", "/usr/libexec/evolution-calendar-factory"},
		{debianPython, "-c", `import gi; gi.require_version("ECal", "2.0")`},
	} {
		err := exec.Command(command[0], command[1:]...).Run()
		if err != nil && os.Getenv("FELTBOK_TEST_CALENDARS") != "" {
			t.Fatalf("%q: %v", command, err)
		}
		if err != nil {
			t.Skipf("a calendar program is missing: %q: %v", command, err)
		}
	}
	return map[string]calendarProgram{
		"khal": newKhal(t, zone), "khal elsewhere": newKhal(t, elsewhere), "Radicale": newRadicale(t), "Evolution": newEvolution(t),
	}
}

const debianPython = "/usr/bin/python3" // which has the bindings that a package installs

func writeText(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// khal shows a folder of calendar files, by the clocks of one zone.
type khal struct {
	t      *testing.T
	zone   *time.Location
	folder string
	shown  map[string][][2]string // starts and ends by calendar, as long as nothing has changed
}

func newKhal(t *testing.T, zone string) *khal {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	k := &khal{t: t, zone: loc, folder: t.TempDir()}
	text := fmt.Sprintf("[locale]\nlocal_timezone = %[1]s\ndefault_timezone = %[1]s\ntimeformat = %%H:%%M\n", zone)
	for _, name := range []string{"dateformat", "longdateformat"} {
		text += name + " = %Y-%m-%d\n"
	}
	for _, name := range []string{"datetimeformat", "longdatetimeformat"} {
		text += name + " = %Y-%m-%dT%H:%M\n"
	}
	text += "[sqlite]\npath = " + filepath.Join(k.folder, "cache.db") + "\n[calendars]\n"
	for _, calendar := range testCalendars {
		folder := filepath.Join(k.folder, calendar)
		text += fmt.Sprintf("[[%s]]\npath = %s\n", calendar, folder)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeText(t, k.config(), text)
	return k
}

func (k *khal) config() string { return filepath.Join(k.folder, "config") }

func (k *khal) take(calendar string, m calendarMail) {
	k.t.Helper()
	k.shown = nil
	file := filepath.Join(k.folder, calendar, url.PathEscape(m.uid)+".ics") // a UID may be anything
	if m.method == cancelMethod {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			k.t.Fatal(err)
		}
		return
	}
	// Under its name only when whole, as programs do that fill such folders: khal looks at the time of the folder.
	writeText(k.t, file+".part", string(m.kept()))
	if err := os.Rename(file+".part", file); err != nil {
		k.t.Fatal(err)
	}
}

const khalClock = "2006-01-02T15:04"

func (k *khal) count(calendar string, from, to time.Time) (n int) {
	k.t.Helper()
	if k.shown == nil {
		k.show()
	}
	for _, times := range k.shown[calendar] {
		start, err := time.ParseInLocation(khalClock, times[0], k.zone)
		if err != nil {
			k.t.Fatal(err)
		}
		end, err := time.ParseInLocation(khalClock, times[1], k.zone)
		if err != nil {
			k.t.Fatal(err)
		}
		if start.Before(to) && end.After(from) {
			n++
		}
	}
	return n
}

// show asks khal for all of 2019.
func (k *khal) show() {
	k.t.Helper()
	command := exec.Command("khal", "--config", k.config(), "list", "--day-format", "", "--format", "{calendar}|{start-long}|{end-long}", "2019-01-01", "365d")
	command.Env = append(os.Environ(), "HOME="+k.folder, "LC_ALL=C.UTF-8")
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		k.t.Fatalf("khal: %v\n%s", err, complaint.String())
	}
	k.shown = map[string][][2]string{}
	for line := range strings.Lines(string(output)) {
		if line = strings.TrimFunc(line, unicode.IsSpace); line == "" {
			continue
		}
		fields := strings.Split(line, "|")
		if len(fields) != 3 {
			k.t.Fatalf("khal shows %q", output)
		}
		k.shown[fields[0]] = append(k.shown[fields[0]], [2]string{fields[1], fields[2]})
	}
}

// radicale is a CalDAV server.
type radicale struct {
	t    *testing.T
	base string
}

var listening = regexp.MustCompile(`Listening on '\[?127\.0\.0\.1\]?:(\d+)'`)

func newRadicale(t *testing.T) *radicale {
	t.Helper()
	folder := t.TempDir()
	config := filepath.Join(folder, "config")
	text := "[server]\nhosts = 127.0.0.1:0\n[auth]\ntype = none\n[storage]\nfilesystem_folder = " + folder + "/data\n[logging]\nlevel = info\n"
	writeText(t, config, text)
	server := exec.Command("radicale", "--config", config)
	said, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait() // says that it was killed
	})
	var all strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if port := listening.FindStringSubmatch(lines.Text()); port != nil {
			go io.Copy(io.Discard, said)
			r := &radicale{t: t, base: "http://127.0.0.1:" + port[1]}
			for _, calendar := range testCalendars {
				r.ask("MKCALENDAR", calendar, "", nil, http.StatusCreated)
			}
			return r
		}
	}
	t.Fatalf("Radicale does not listen:\n%s", all.String())
	return nil
}

// ask sends a request about a calendar, whose owner has the same name, and returns the answer.
func (r *radicale) ask(method, calendar, path string, body []byte, want ...int) []byte {
	r.t.Helper()
	address := r.base + "/" + calendar + "/calendar/" + path
	request, err := http.NewRequestWithContext(r.t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.SetBasicAuth(calendar, "any")
	request.Header.Set("Depth", "1")
	if method == http.MethodPut {
		request.Header.Set("Content-Type", "text/calendar; charset=utf-8")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || !slices.Contains(want, response.StatusCode) {
		r.t.Fatalf("%s %s: %s, %v\n%s", method, path, response.Status, err, answer)
	}
	return answer
}

func (r *radicale) take(calendar string, m calendarMail) {
	r.t.Helper()
	file := url.PathEscape(m.uid) + ".ics"
	if m.method == cancelMethod {
		r.ask(http.MethodDelete, calendar, file, nil, http.StatusOK, http.StatusNoContent, http.StatusNotFound)
		return
	}
	r.ask(http.MethodPut, calendar, file, m.kept(), http.StatusCreated, http.StatusNoContent)
}

const calendarInstant = "20060102T150405Z"

// count lets the server find the appointments (RFC 4791 §7.8).
func (r *radicale) count(calendar string, from, to time.Time) int {
	r.t.Helper()
	query := fmt.Sprintf(`<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop>`+
		`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="%s" end="%s"/></C:comp-filter></C:comp-filter>`+
		`</C:filter></C:calendar-query>`, from.UTC().Format(calendarInstant), to.UTC().Format(calendarInstant))
	var answer struct {
		Found []struct{} `xml:"DAV: response"`
	}
	if err := xml.Unmarshal(r.ask("REPORT", calendar, "", []byte(query), http.StatusMultiStatus), &answer); err != nil {
		r.t.Fatal(err)
	}
	return len(answer.Found)
}

// evolution is the calendar of the GNOME desktop. It is given the object with its method and decides what follows.
type evolution struct {
	t       *testing.T
	ask     *json.Encoder
	answers *json.Decoder
	said    *bytes.Buffer
}

func newEvolution(t *testing.T) *evolution {
	t.Helper()
	home := t.TempDir()
	sources := filepath.Join(home, ".config", "evolution", "sources") // read at its start; what is added later comes late
	if err := os.MkdirAll(sources, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, calendar := range testCalendars {
		writeText(t, filepath.Join(sources, calendar+".source"), "[Data Source]\nDisplayName="+calendar+"\nEnabled=true\nParent=local-stub\n[Calendar]\nBackendName=local\n")
	}
	script, err := filepath.Abs("testdata/evolution.py")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("dbus-run-session", "--", debianPython, script)
	command.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "XDG_RUNTIME_DIR=" + home, "GSETTINGS_BACKEND=memory", "LC_ALL=C.UTF-8"}
	e := &evolution{t: t, said: &bytes.Buffer{}}
	command.Stderr, command.WaitDelay = e.said, 10*time.Second
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	e.ask, e.answers = json.NewEncoder(in), json.NewDecoder(out)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // the script ends, then the session, then what it started, which Wait waits for since it holds our pipe
		if err := command.Wait(); err != nil {
			t.Errorf("evolution-data-server: %v\n%s", err, e.said)
		}
	})
	return e
}

type evolutionRequest struct{ Calendar, Object, From, To string }

func (e *evolution) answer(ask evolutionRequest, answer any) {
	e.t.Helper()
	if err := e.ask.Encode(ask); err != nil {
		e.t.Fatal(err)
	}
	if err := e.answers.Decode(answer); err != nil {
		e.t.Fatalf("evolution-data-server: %v", err)
	}
}

func (e *evolution) take(calendar string, m calendarMail) {
	e.t.Helper()
	var answer string
	if e.answer(evolutionRequest{Calendar: calendar, Object: string(m.object)}, &answer); answer != "taken" {
		e.t.Fatalf("evolution-data-server: %s", answer)
	}
}

func (e *evolution) count(calendar string, from, to time.Time) (n int) {
	e.t.Helper()
	e.answer(evolutionRequest{Calendar: calendar, From: from.UTC().Format(calendarInstant), To: to.UTC().Format(calendarInstant)}, &n)
	return n
}
