package dock

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamproof/streamproof/harness/stack/settings"
)

// A userConf is a user's nginx.conf.
type userConf struct {
	*settings.Conf
	name string
	text []byte
}

// readOwnConf reads the user's nginx.conf, if there is one, before anything
// starts. What it includes is the image's.
func readOwnConf(path string) (*userConf, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: %w", err)
	}
	c, err := settings.NginxAlone(path)
	if err != nil {
		return nil, err
	}
	return &userConf{Conf: c, name: filepath.Base(path), text: data}, nil
}

// settings are what holds for requests of path. server is "nginx 1.22.1".
func (c *userConf) settings(server, path string) map[string]string {
	_, version, _ := strings.Cut(server, " ")
	set := c.For(version, path)
	set["configuration"] = c.name
	return set
}
