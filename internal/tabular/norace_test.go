//go:build !race

package tabular

const raced = false
