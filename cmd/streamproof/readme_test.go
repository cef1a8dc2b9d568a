package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/origin"
)

// pages are those whose commands are run, and whose files and code are read.
var pages = []string{"README.md", "cmd/streamproof/README.md", "reports/README.md", "harness/README.md",
	"scenarios/README.md"}

// pageText is all pages.
func pageText(t *testing.T) []byte {
	t.Helper()
	var all []byte
	for _, p := range pages {
		text, err := os.ReadFile(filepath.Join("..", "..", p))
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, text...), '\n')
	}
	return all
}

// fences finds the code blocks of a language in the pages. What is YAML and not ours is in
// blocks of yml.
func fences(t *testing.T, lang string) []string {
	t.Helper()
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+lang+"\n(.*?)^```").FindAllSubmatch(pageText(t), -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) == 0 {
		t.Fatalf("the pages have no %s block", lang)
	}
	return blocks
}

// TestReadmeIsShort: what a newcomer needs. The rest stands beside the code.
func TestReadmeIsShort(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > 215 {
		t.Errorf("README.md has %d lines, 215 are enough", n)
	}
}

// TestPagesLink: links within the tree lead somewhere.
func TestPagesLink(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, p := range pages {
		text, err := os.ReadFile(filepath.Join("..", "..", p))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(p), string(m[1]))); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		}
	}
}

// TestReadmeCommands runs every command that the README shows in a sh block: those of
// a block in their order, in one folder, and the blocks side by side. What it shows at 127.0.0.1:8000 is played by the
// origin, in the format that the command's dialect reads.
func TestReadmeCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the standard suite")
	}
	t.Parallel()
	for i, block := range fences(t, "sh") {
		t.Run(fmt.Sprintf("block %d", i+1), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for line := range strings.Lines(block) {
				line = strings.TrimSuffix(line, "\n")
				if line != "" {
					t.Run(line, func(t *testing.T) { readmeCommand(t, dir, line) })
				}
			}
		})
	}
}

// readmeCommand runs one command in dir.
func readmeCommand(t *testing.T, dir, line string) {
	cmd := exec.Command("sh", "-c", strings.Replace(served(t, line), "streamproof ", `"$STREAMPROOF" `, 1))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "STREAMPROOF="+program(t), "API_KEY=from-the-environment")
	out, err := cmd.CombinedOutput()
	want := 0
	if strings.Contains(line, "--sabotage ") {
		want = exitFail
	}
	code := cmd.ProcessState.ExitCode()
	if code == exitInconclusive && want == 0 {
		busy.ExcuseFolders(t, dir)
	}
	if code != want && !excused(code) {
		t.Errorf("exit code %d, want %d (%v)\n%s", code, want, err, out)
	}
	if bytes.Contains(out, []byte("from-the-environment")) {
		t.Errorf("the secret is printed:\n%s", out)
	}
}

// excused lets inconclusive pass where this host has no nginx: the README says
// that some scenarios need it.
func excused(code int) bool {
	_, err := exec.LookPath("nginx")
	return code == exitInconclusive && err != nil
}

// served replaces the reader's server by an origin of ours.
func served(t *testing.T, line string) string {
	t.Helper()
	format := ""
	switch {
	case !strings.Contains(line, "127.0.0.1:8000"):
		return line
	case strings.Contains(line, "openai-chat"), strings.Contains(line, "/chat"):
		format = "openai-chat"
	case strings.Contains(line, "ndjson"):
		format = "ndjson"
	default:
		format = "sse"
	}
	addr := serveOrigin(t)
	for _, path := range []string{"/chat", "/events", "/lines"} {
		line = strings.Replace(line, "127.0.0.1:8000"+path, addr+"/stream?format="+format, 1)
	}
	return line
}

func serveOrigin(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	done := make(chan int)
	ctx := t.Context()
	go func() { done <- origin.Main(ctx, []string{"--listen", addr}, new(bytes.Buffer), os.Stderr) }()
	t.Cleanup(func() { <-done }) // t.Context ends before
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the origin does not listen")
	return ""
}

// TestReadmeYAML holds the README's files to what the parser accepts, and runs
// those that define scenarios.
func TestReadmeYAML(t *testing.T) {
	t.Parallel()
	own := 0
	for i, block := range fences(t, "yaml") {
		f, err := config.Parse(fmt.Sprintf("README block %d", i+1), []byte(block))
		if err != nil {
			t.Errorf("%v\n%s", err, block)
			continue
		}
		if len(f.Define) > 0 && !testing.Short() {
			own++
			runReadme(t, block)
		}
	}
	if own == 0 && !testing.Short() {
		t.Error("no block defines a scenario")
	}
}

// runReadme runs a file of the README on the origin: it passes.
func runReadme(t *testing.T, block string) {
	dir := t.TempDir()
	file := filepath.Join(dir, "streamproof.yaml")
	if err := os.WriteFile(file, []byte(block), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"run", "-f", file, "-o", filepath.Join(dir, "run"), "--no-color"}, &out,
		&out); code != exitPass {
		if code == exitInconclusive {
			busy.ExcuseFolders(t, dir)
		}
		t.Errorf("exit code %d\n%s", code, &out)
	}
	if n := strings.Count(block, "\n"); n >= 25 {
		t.Errorf("the block has %d lines, 25 are too many", n)
	}
}

// TestReadmeGo builds the README's Go in this module, by an overlay: other tests read
// the tree meanwhile.
func TestReadmeGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for i, block := range fences(t, "go") {
		if !strings.HasPrefix(block, "package ") {
			continue // a part of a file beside the page, which is tested itself
		}
		name := fmt.Sprintf("block%d.go", i)
		putFile(t, filepath.Join(dir, name), []byte(block))
		replace[filepath.Join(here, "readme", strconv.Itoa(i), name)] = filepath.Join(dir, name)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(dir, "overlay.json"), overlay)
	build := exec.Command("go", "build", "-overlay="+filepath.Join(dir, "overlay.json"), "./readme/...")
	if out, err := build.CombinedOutput(); err != nil || len(replace) == 0 {
		t.Errorf("%d blocks: %v\n%s", len(replace), err, out)
	}
}

// TestReadmeTargets checks that make knows the targets that the README names.
func TestReadmeTargets(t *testing.T) {
	for _, m := range regexp.MustCompile("`make ([a-z]+)`").FindAllSubmatch(pageText(t), -1) {
		cmd := exec.Command("make", "-n", string(m[1]))
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("make %s: %v\n%s", m[1], err, out)
		}
	}
}
