// Package recognise reads off an app's own answers which dialect it speaks, so that
// nobody has to say.
//
//  1. [Reach] checks that load may go there, that the server is there, and that its
//     certificate is trusted. Nothing is sent.
//  2. [Ask] starts the app with nothing in front of it, sends one request, and a second
//     one where the first was short, and keeps the bytes with their times.
//     Where a GET without a body is turned away at the path of a known API, it says so and
//     posts what that API's reference names ([Posted], [stream.Posted]).
//  3. A [Finding] names the dialect by media type and bytes ([stream.Identify]), and the
//     terminal: what the last event of every answer has, and no other event.
//  4. [Fill] does all of it for an app that names no dialect, on the command line and in
//     'go test' alike.
package recognise
