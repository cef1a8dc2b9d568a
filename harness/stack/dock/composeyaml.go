package dock

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// composeBuild is a folder, or a mapping.
type composeBuild struct {
	Context    string `yaml:"context"`
	Dockerfile string `yaml:"dockerfile"`
	Target     string `yaml:"target"`
	Args       pairs  `yaml:"args"`
}

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (b *composeBuild) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&b.Context); err == nil {
		return nil
	}
	type plain composeBuild
	if err := unmarshal((*plain)(b)); err != nil {
		return err
	}
	if b.Context == "" {
		b.Context = "."
	}
	return nil
}

// words is a list, or one string that a shell would split.
type words []string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (w *words) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if err := unmarshal(&list); err == nil {
		*w = list
		return nil
	}
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	*w = splitWords(text)
	return nil
}

// splitWords splits as a shell does: at white space outside of quotes.
func splitWords(text string) (list []string) {
	var word strings.Builder
	var quote rune
	inside := false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inside = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inside {
				list = append(list, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		list = append(list, word.String())
	}
	return list
}

// pairs is a mapping, or a list of NAME=value.
type pairs map[string]string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (p *pairs) UnmarshalYAML(unmarshal func(any) error) error {
	*p = pairs{}
	var list []string
	if err := unmarshal(&list); err == nil {
		for _, s := range list {
			name, value, _ := strings.Cut(s, "=")
			(*p)[name] = value
		}
		return nil
	}
	var m map[string]any
	if err := unmarshal(&m); err != nil {
		return err
	}
	for name, value := range m {
		if value == nil {
			value = ""
		}
		(*p)[name] = fmt.Sprint(value)
	}
	return nil
}

// list is NAME=value, sorted.
func (p pairs) list() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		list = append(list, name+"="+p[name])
	}
	return list
}

func (p pairs) pointers() map[string]*string {
	m := make(map[string]*string, len(p))
	for name, value := range p {
		m[name] = &value
	}
	return m
}
