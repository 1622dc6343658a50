//go:build !crashpoints || !unix

// Package crash lets tests kill the process at a named point. Without the build tag crashpoints, and where there is
// no kill -9, it is nothing.
package crash

// Point is where a test may end the process.
func Point(string) {}
