// Package config reads streamproof.yaml.
//
//  1. [Read] parses the file. A key that is not known, a value that cannot be
//     read and broken YAML end in an [Error]: one line with file, line and
//     column, the fix, and the source line with a caret.
//  2. [File.Options] turns what was read into the harness's options. Paths in
//     the file are relative to its folder.
//  3. [File.Defined] makes the scenarios of the user's own.
//  4. [File.Locate] gives errors that are found later, by the harness, the
//     place in the file that they come from.
//  5. [Schema] describes the file to editors, and [Template] writes a first one.
//
// ${NAME} stays as it is: the harness puts environment variables in, and keeps
// them out of everything that it writes.
package config
