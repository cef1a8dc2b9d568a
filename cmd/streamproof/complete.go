package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/scenarios"
)

// strict has cobra's own commands take arguments as ours do: what they do not know is bad input.
func strict(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args, c.RunE = knownCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range c.Commands() {
				shell.Args = takes(0, 0, "")
			}
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				if about, rest, err := root.Find(args); err != nil || about.HasSubCommands() {
					return errors.Join(err, knownCommand(about, rest))
				}
				return nil
			}
		}
	}
}

// What shells complete behind a flag or a command: names that we know, each with
// what it means behind a tab, as cobra has it.

// choices completes one of some names, or of a list of them where the flag takes
// several behind commas.
func choices(list func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := ""
		if i := strings.LastIndexByte(typed, ','); i >= 0 {
			before, typed = typed[:i+1], typed[i+1:]
		}
		var out []string
		for _, name := range list() {
			if strings.HasPrefix(name, typed) {
				out = append(out, before+name)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

func scenarioChoices() []string {
	list := []string{config.Standard + "\tthe standard suite", config.All + "\tthe whole catalogue"}
	for _, s := range scenarios.All() {
		list = append(list, s.ID+"\t"+s.Title)
	}
	return list
}

func suiteChoices() (list []string) {
	for _, s := range scenarios.Suites() {
		list = append(list, s.Name+"\t"+s.Doc)
	}
	return list
}

func tagChoices() []string { return (&chooser{from: &config.File{}}).tags() }

func sabotageChoices() []string {
	var list []string
	for _, s := range sabotageList() {
		list = append(list, s.Name+"\t"+s.Does)
	}
	return list
}

// logChoices are kinds of logs before their =, and behind it any file.
func logChoices(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsAny(typed, "=/.") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var list []string
	for _, kind := range config.LogKinds[1:] {
		if strings.HasPrefix(kind, typed) {
			list = append(list, kind+"=")
		}
	}
	return list, cobra.ShellCompDirectiveNoSpace
}

// completeRuns completes folders that hold a run, the newest first, and otherwise
// any folder.
func completeRuns(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	found, _ := filepath.Glob(filepath.Join(runsFolder, "*", "plan.json")) // the pattern is well formed
	var list []string
	for _, plan := range found {
		dir := filepath.ToSlash(filepath.Dir(plan))
		if strings.HasPrefix(dir, typed) && !slices.Contains(args, dir) {
			list = append(list, dir)
		}
	}
	if len(list) == 0 {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	slices.Reverse(list) // their names begin with the time
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// complete says what can stand behind the flags of run and diagnose, as far as the
// command has them.
func (f *runFlags) complete(cmd *cobra.Command) {
	for name, by := range map[string]cobra.CompletionFunc{
		"suite": choices(suiteChoices), "tag": choices(tagChoices), "skip-tag": choices(tagChoices),
		"flaky":    choices(func() []string { return []string{"fail", "pass"} }),
		"scenario": choices(scenarioChoices), "require": choices(scenarioChoices), "sabotage": choices(sabotageChoices),
		"dialect": choices(config.Dialects), "stack": choices(scenarios.Stacks),
		"method":       choices(func() []string { return []string{"GET", "POST", "PUT"} }),
		"arrivals":     choices(func() []string { return arrivals.Kinds }),
		"load-prompts": files("jsonl"), "export": files("csv", "parquet", "jsonl"), "history": files("db"),
		"metrics": files("prom", "txt"),
		"log":     logChoices, "from": completeRuns, "out": folders, "file": files("yaml", "yml"),
		"cacert": files("pem", "crt", "cer"), "cert": files("pem", "crt", "cer"), "key": files("pem", "key"),
	} {
		if cmd.Flags().Lookup(name) != nil {
			if err := cmd.RegisterFlagCompletionFunc(name, by); err != nil {
				panic(err) // a flag that was looked up is there, and is completed once
			}
		}
	}
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func files(endings ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}
