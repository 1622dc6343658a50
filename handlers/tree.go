package handlers

import (
	"fmt"

	"example.org/feltbok/recruitment"
)

// drawing is the tree of who led to whom as a picture: waves from left to right, one line for each end of a chain. The
// same people give the same picture.
type drawing struct {
	Width, Height int
	Waves         []drawnWave
	Lines         []drawnLine
	Nodes         []drawnNode
}

type drawnWave struct{ X, Wave int }

// drawnLine goes from a recruiter along, down and along to whom they led to; Coupon stands on it, 0 if there was none.
type drawnLine struct {
	Path   string
	X, Y   int
	Coupon int
}

type drawnNode struct {
	*recruitment.Node
	X, Y int // of the mark's left edge and middle
}

// Top is the mark's upper edge; TextX and TextY are where the code begins.
func (n drawnNode) Top() int   { return n.Y - treeMark/2 }
func (n drawnNode) TextX() int { return n.X + treeMark + 6 }
func (n drawnNode) TextY() int { return n.Y + 5 }

// Measures of the picture, in pixels.
const (
	treeTop    = 40 // room for the names of the waves
	treeRow    = 32
	treeWave   = 132
	treeMark   = 12 // a mark's side
	treeEdge   = 8
	codeRoom   = 56 // room for a code before the line goes on
	elbowAt    = 76 // where the line turns
	treeBottom = 12
)

// draw lays the tree out.
func draw(s recruitment.Snowball) drawing {
	d := drawing{Width: 2*treeEdge + len(s.Waves)*treeWave, Height: treeTop + treeBottom}
	for wave := range s.Waves {
		d.Waves = append(d.Waves, drawnWave{treeEdge + wave*treeWave, wave})
	}
	for _, seed := range s.Seeds {
		d.place(seed)
	}
	return d
}

// place puts a node and whom it led to below what is there, and returns the height of its middle: that of the first it
// led to, so that a chain is a straight line.
func (d *drawing) place(n *recruitment.Node) int {
	x, y := treeEdge+n.Wave*treeWave, 0
	for i, led := range n.Led {
		at := d.place(led)
		if i == 0 {
			y = at
		}
		d.Lines = append(d.Lines, elbow(x, y, at, led.Coupon))
	}
	if len(n.Led) == 0 {
		y = d.Height - treeBottom + treeRow/2
		d.Height += treeRow
	}
	d.Nodes = append(d.Nodes, drawnNode{n, x, y})
	return y
}

func elbow(x, from, to, coupon int) drawnLine {
	end := x + treeWave - treeEdge/2
	line := drawnLine{Path: fmt.Sprintf("M%d %dH%d", x+codeRoom, from, end), X: x + elbowAt + treeEdge, Y: to - 5, Coupon: coupon}
	if from != to {
		line.Path = fmt.Sprintf("M%d %dV%dH%d", x+elbowAt, from, to, end)
	}
	return line
}
