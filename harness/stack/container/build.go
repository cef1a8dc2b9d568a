package container

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/moby/go-archive"
	"github.com/moby/moby/client"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// A recipe is a folder with a Dockerfile.
type recipe struct {
	folder     string
	dockerfile string // in the folder; "" means Dockerfile
	inline     string // the text of a Dockerfile, in place of a file
	target     string
	args       map[string]*string
	network    string   // of its RUN steps
	hosts      []string // "name:address", likewise
	shm        int64    // bytes
}

// build makes an image from a folder and returns its name, which follows from
// the folder: the next build replaces it, and its layers come from the cache.
func (d *daemon) build(ctx context.Context, r recipe) (name string, err error) {
	if r.dockerfile == "" {
		r.dockerfile = "Dockerfile"
	}
	if r.inline == "" {
		if _, err := os.Stat(filepath.Join(r.folder, r.dockerfile)); err != nil {
			return "", fmt.Errorf("build %s: %w", r.folder, err)
		}
	}
	files, err := r.pack()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", r.folder, err)
	}
	defer files.Close() // ends the packing where the daemon has had enough
	name = r.name()
	res, err := d.ImageBuild(ctx, files, client.ImageBuildOptions{Tags: []string{name}, Dockerfile: r.file(),
		Target:    r.target,
		BuildArgs: r.args, NetworkMode: r.network, ExtraHosts: r.hosts, ShmSize: r.shm, Remove: true, ForceRemove: true})
	if err != nil {
		return "", fmt.Errorf("build %s: %w", r.folder, err)
	}
	defer res.Body.Close()
	if err := drainProgress(res.Body); err != nil {
		return "", fmt.Errorf("build %s: %w", r.folder, err)
	}
	return name, nil
}

// name is the same for the same recipe, on every run.
func (r recipe) name() string {
	abs, err := filepath.Abs(r.folder)
	if err != nil {
		abs = r.folder
	}
	return fmt.Sprintf("streamproof/app-%08x:dev",
		crc32.ChecksumIEEE([]byte(abs+"\x00"+r.dockerfile+"\x00"+r.target+r.inline)))
}

// inlineFile is what a Dockerfile is called that stands in a compose file.
const inlineFile = ".streamproof.dockerfile"

// file is the Dockerfile as the daemon finds it.
func (r recipe) file() string {
	if r.inline != "" {
		return inlineFile
	}
	return filepath.ToSlash(r.dockerfile)
}

// pack is the folder as tar, without what .dockerignore leaves out, as the docker
// command sends it: the Dockerfile and .dockerignore themselves go along, and all
// belongs to root.
func (r recipe) pack() (io.ReadCloser, error) {
	out, err := excludes(r.folder, r.file())
	if err != nil {
		return nil, err
	}
	files, err := archive.TarWithOptions(r.folder,
		&archive.TarOptions{ExcludePatterns: out, ChownOpts: &archive.ChownOpts{}})
	if err != nil || r.inline == "" {
		return files, err
	}
	return archive.ReplaceFileTarWrapper(files, map[string]archive.TarModifierFunc{
		inlineFile: func(_ string, _ *tar.Header, _ io.Reader) (*tar.Header, []byte, error) {
			h := &tar.Header{Name: inlineFile, Mode: 0o600, Typeflag: tar.TypeReg, Size: int64(len(r.inline))}
			return h, []byte(r.inline), nil
		}}), nil
}

// excludes are the patterns of .dockerignore.
func excludes(folder, dockerfile string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(folder, ".dockerignore"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf(".dockerignore: %w", err)
	}
	for _, needed := range []string{".dockerignore", dockerfile} {
		if out, err := patternmatcher.MatchesOrParentMatches(path.Clean(needed), patterns); err != nil {
			return nil, fmt.Errorf(".dockerignore: %w", err)
		} else if out {
			patterns = append(slices.Clone(patterns), "!"+path.Clean(needed))
		}
	}
	return patterns, nil
}
