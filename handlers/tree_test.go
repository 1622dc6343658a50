package handlers

import (
	"fmt"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

func node(code string, coupon int, led ...*recruitment.Node) *recruitment.Node {
	n := &recruitment.Node{Participant: recruitment.Participant{Code: code, Coupon: coupon, NetworkSize: recruitment.UnknownNetwork}, Led: led}
	var deepen func(*recruitment.Node)
	deepen = func(n *recruitment.Node) {
		for _, l := range n.Led {
			l.Wave++
			deepen(l)
		}
	}
	deepen(n)
	return n
}

func snowballOf(seeds ...*recruitment.Node) recruitment.Snowball {
	s := recruitment.Snowball{Seeds: seeds}
	for at := seeds; len(at) > 0; {
		s.Waves = append(s.Waves, len(at))
		var next []*recruitment.Node
		for _, n := range at {
			next = append(next, n.Led...)
		}
		at = next
	}
	return s
}

func (d drawing) String() string {
	var parts []string
	for _, n := range d.Nodes {
		parts = append(parts, fmt.Sprintf("%s %d,%d", n.Code, n.X, n.Y))
	}
	return strings.Join(parts, " ")
}

func TestDraw(t *testing.T) {
	if d := draw(recruitment.Snowball{}); len(d.Nodes) != 0 || d.Height <= 0 {
		t.Errorf("nobody: %+v", d)
	}
	if d := draw(snowballOf(node("A1", 0))); d.String() != "A1 8,56" || len(d.Lines) != 0 || d.Width != 148 {
		t.Errorf("one: %s, %d wide", d, d.Width)
	}
	d := draw(snowballOf(node("B1", 0, node("B2", 1, node("B5", 1)), node("B3", 2)), node("C1", 0)))
	if got, want := d.String(), "B5 272,56 B2 140,56 B3 140,88 B1 8,56 C1 8,120"; got != want {
		t.Errorf("tree\n got %s\nwant %s", got, want)
	}
	if got, want := d.Lines[1].Path+" "+d.Lines[2].Path, "M64 56H136 M84 56V88H136"; got != want {
		t.Errorf("lines %s, want %s", got, want)
	}
}

// Two hundred people in wide and deep trees: nobody lies on anybody, all lie within, and each stands right of whoever led
// to them.
func TestDrawMany(t *testing.T) {
	deep := node("D0", 0)
	for i := range 60 {
		deep = node(fmt.Sprintf("D%d", i+1), 0, deep)
	}
	var wide []*recruitment.Node
	for i := range 138 {
		wide = append(wide, node(fmt.Sprintf("W%d", i), i+1))
	}
	d := draw(snowballOf(deep, node("V", 0, wide...)))
	if len(d.Nodes) != 200 || len(d.Lines) != 198 || len(d.Waves) != 61 {
		t.Fatalf("%d nodes, %d lines, %d waves", len(d.Nodes), len(d.Lines), len(d.Waves))
	}
	taken := map[string]bool{}
	for _, n := range d.Nodes {
		place := fmt.Sprintf("%d,%d", n.X, n.Y)
		if taken[place] || n.X < 0 || n.X+treeMark > d.Width || n.Top() < treeTop-treeRow || n.Y > d.Height-treeBottom {
			t.Errorf("%s at %s, picture %dx%d", n.Code, place, d.Width, d.Height)
		}
		taken[place] = true
	}
}

// Promise 21: no cell of the table is a formula, whatever the codes are.
func TestReferralsTable(t *testing.T) {
	seed := node("B1", 0, node("B2", 1), node("=1+1", 2))
	seed.NetworkSize, seed.Case, seed.ID = 30, "case", "seed"
	v := &visit{study: studies.Study{Cases: []studies.Case{{ID: id.Case("case"), Code: "=cmd|'/c calc'!A1"}}}}
	file, err := v.referralsTable(snowballOf(seed), nil)
	want := strings.Join([]string{"id,recruiter.id,network.size,coupon,wave,seed,case,relation,size,source,state",
		"B1,seed,30,,0,B1,'=cmd|'/c calc'!A1,,,,", "B2,B1,,1,1,B1,,,,,", "'=1+1,B1,,2,1,B1,,,,,", ""}, "\n")
	if err != nil || string(file) != want {
		t.Errorf("table %v\n got %s\nwant %s", err, file, want)
	}
	kept, err := v.referralsTable(snowballOf(seed), map[id.Person]consents.Restriction{seed.ID: {Kind: consents.Restrict}})
	if err != nil || !strings.Contains(string(kept), "\nB1,seed,,,,,,,,,\nB2,B1,,1,1,B1,") {
		t.Errorf("of somebody whose data are only kept: %v\n%s", err, kept)
	}
	for _, code := range []string{"=1", "+1", "-1", "@x", "\tx", "\rx"} {
		file, err := v.referralsTable(snowballOf(node(code, 0)), nil)
		if err != nil || !strings.Contains(string(file), "'"+code) {
			t.Errorf("%q stays a formula: %s, %v", code, file, err)
		}
	}
}

// A code that a telephone reads: its three finders stand in their corners, within the quiet zone.
func TestDrawQR(t *testing.T) {
	code, err := drawQR("https://felt.example.org/i/" + strings.Repeat("A", 43) + "?lang=nb")
	if err != nil || code.Side < 29+2*quietZone || (code.Side-2*quietZone-17)%4 != 0 {
		t.Fatalf("side %d, %v", code.Side, err)
	}
	far := code.Side - quietZone - 7
	for _, finder := range []string{"M4 4h7v1h-7z", fmt.Sprintf("M%d 4h7v1h-7z", far), fmt.Sprintf("M4 %dh7v1h-7z", far)} {
		if !strings.Contains(code.Path, finder) {
			t.Errorf("no finder %s", finder)
		}
	}
	again, err := drawQR("https://felt.example.org/i/" + strings.Repeat("B", 43) + "?lang=nb")
	if err != nil || again.Path == code.Path {
		t.Error("two links have one code")
	}
}
