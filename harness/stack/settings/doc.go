// Package settings reads what the layers of a chain are set to, silent defaults
// included, from what people wrote: nginx.conf and the command lines of process
// managers. It judges nothing; package lint does.
//
//  1. [Nginx] parses a configuration. [Conf.For] finds the location that serves a
//     path, and takes each directive from the innermost block that sets it;
//     [Conf.Upstreams] says where such requests go.
//  2. [Command] finds gunicorn or uvicorn in a command line and reads its flags.
//  3. Both answer with names and values as their own documentation spells them.
package settings
