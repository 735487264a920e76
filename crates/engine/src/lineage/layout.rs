//! Places for a picture of a graph: layers from left to right, as few crossings as a few sweeps find, and every box as near
//! to its neighbours as the others in its layer let it be (Sugiyama's method). The same graph gets the same places.

/// Sweeps over the layers for fewer crossings, and for straighter lines.
const SWEEPS: usize = 12;

/// What is to be placed: boxes with heights, and links from left to right.
#[derive(Debug, Clone)]
pub struct Drawing<'a> {
    /// The height of each box.
    pub heights: &'a [f64],
    /// From which box to which.
    pub links: &'a [(usize, usize)],
    /// Whether boxes stand as far to the right as their links let them, instead of to the left.
    pub to_the_right: bool,
    /// The least space between boxes above each other.
    pub gap: f64,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The layer and the middle of each box.
    pub boxes: Vec<(usize, f64)>,
    /// The layers and heights that each link goes through, from its first box to its second.
    pub links: Vec<Vec<(usize, f64)>>,
    /// How many layers there are.
    pub layers: usize,
    /// From 0 to where the lowest box ends.
    pub height: f64,
}

/// Something in a layer: a box, or the place where a link passes.
struct Item {
    layer: usize,
    height: f64,
    middle: f64,
    /// Items in the layer before and after that are linked with it.
    before: Vec<usize>,
    after: Vec<usize>,
}

/// Places a drawing.
#[must_use]
pub fn layout(drawing: &Drawing<'_>) -> Layout {
    let links = without_circles(drawing.heights.len(), drawing.links);
    let layers = layers(drawing.heights.len(), &links, drawing.to_the_right);
    let mut plan = Plan::new(drawing, &links, &layers);
    plan.order();
    plan.place(drawing.gap);
    plan.layout(drawing, &links)
}

/// Each link as it is drawn: one that would close a circle is turned round.
fn without_circles(boxes: usize, links: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut next = vec![Vec::new(); boxes];
    links.iter().enumerate().for_each(|(link, (from, _))| next[*from].push(link));
    let (mut state, mut turned) = (vec![0_u8; boxes], vec![false; links.len()]);
    for root in 0..boxes {
        let mut calls = vec![(root, 0)];
        while let Some((at, edge)) = calls.pop() {
            if edge == 0 && state[at] != 0 {
                continue;
            }
            state[at] = 1;
            match next[at].get(edge) {
                None => state[at] = 2,
                Some(&link) => {
                    calls.push((at, edge + 1));
                    let to = links[link].1;
                    match state[to] {
                        0 => calls.push((to, 0)),
                        1 => turned[link] = true,
                        _ => {}
                    }
                }
            }
        }
    }
    links.iter().zip(turned).map(|((from, to), turned)| if turned { (*to, *from) } else { (*from, *to) }).collect()
}

/// The layer of each box, by the longest path that leads to it, or from it.
fn layers(boxes: usize, links: &[(usize, usize)], to_the_right: bool) -> Vec<usize> {
    let mut layers = vec![0; boxes];
    let (mut waiting, mut next) = (vec![0_usize; boxes], vec![Vec::new(); boxes]);
    for (from, to) in links.iter().filter(|(from, to)| from != to) {
        let (from, to) = if to_the_right { (*to, *from) } else { (*from, *to) };
        waiting[to] += 1;
        next[from].push(to);
    }
    let mut ready: Vec<usize> = (0..boxes).filter(|at| waiting[*at] == 0).collect();
    while let Some(at) = ready.pop() {
        for &to in &next[at] {
            layers[to] = layers[to].max(layers[at] + 1);
            waiting[to] -= 1;
            if waiting[to] == 0 {
                ready.push(to);
            }
        }
    }
    let most = layers.iter().copied().max().unwrap_or_default();
    if to_the_right { layers.into_iter().map(|layer| most - layer).collect() } else { layers }
}

struct Plan {
    items: Vec<Item>,
    /// The items of each layer, from top to bottom.
    layers: Vec<Vec<usize>>,
    /// The items that each link passes, both ends included, from left to right.
    paths: Vec<Vec<usize>>,
}

impl Plan {
    fn new(drawing: &Drawing<'_>, links: &[(usize, usize)], layers: &[usize]) -> Self {
        let item = |layer, height| Item { layer, height, middle: 0.0, before: Vec::new(), after: Vec::new() };
        let mut items: Vec<Item> =
            drawing.heights.iter().zip(layers).map(|(height, layer)| item(*layer, *height)).collect();
        let mut paths = Vec::new();
        for (from, to) in links {
            let mut path = vec![*from];
            for layer in layers[*from] + 1..layers[*to] {
                path.push(items.len());
                items.push(item(layer, drawing.gap));
            }
            path.push(*to);
            for pair in path.windows(2) {
                if pair[0] != pair[1] {
                    items[pair[0]].after.push(pair[1]);
                    items[pair[1]].before.push(pair[0]);
                }
            }
            paths.push(path);
        }
        let count = layers.iter().max().map_or(0, |most| most + 1);
        let mut by_layer = vec![Vec::new(); count];
        items.iter().enumerate().for_each(|(at, item)| by_layer[item.layer].push(at));
        Self { items, layers: by_layer, paths }
    }

    /// Puts each layer in the order of where its neighbours are, there and back again.
    fn order(&mut self) {
        for sweep in 0..SWEEPS {
            let forwards = sweep % 2 == 0;
            let count = self.layers.len();
            for step in 0..count {
                let layer = if forwards { step } else { count - 1 - step };
                let ranks = self.ranks();
                let mut order: Vec<(f64, usize, usize)> = self.layers[layer]
                    .iter()
                    .enumerate()
                    .map(|(place, at)| {
                        let item = &self.items[*at];
                        let neighbours = if forwards { &item.before } else { &item.after };
                        (mean(neighbours.iter().map(|at| ranks[*at])).unwrap_or(ranks[*at]), place, *at)
                    })
                    .collect();
                order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
                self.layers[layer] = order.into_iter().map(|(_, _, at)| at).collect();
            }
        }
    }

    /// Where each item is in its layer, from 0 to 1.
    fn ranks(&self) -> Vec<f64> {
        let mut ranks = vec![0.0; self.items.len()];
        for layer in &self.layers {
            let count = layer.len().max(1) as f64;
            layer.iter().enumerate().for_each(|(place, at)| ranks[*at] = (place as f64 + 0.5) / count);
        }
        ranks
    }

    /// Moves every item to its neighbours as far as the order lets it.
    fn place(&mut self, gap: f64) {
        for layer in 0..self.layers.len() {
            self.settle(layer, gap, |_| None);
        }
        for sweep in 0..SWEEPS {
            let forwards = sweep % 2 == 0;
            let count = self.layers.len();
            for step in 0..count {
                let layer = if forwards { step } else { count - 1 - step };
                self.settle(layer, gap, |item| Some(if forwards { &item.before } else { &item.after }));
            }
        }
    }

    /// Places a layer: as near to what is wished for as possible, in order, and without overlap. This is a regression whose
    /// result may not fall, which pooling neighbours that would gives exactly.
    fn settle(&mut self, layer: usize, gap: f64, neighbours: impl Fn(&Item) -> Option<&Vec<usize>>) {
        let order = &self.layers[layer];
        let (mut offset, mut end) = (0.0, 0.0);
        let mut pools: Vec<(f64, f64)> = Vec::new();
        let mut offsets = Vec::new();
        for at in order {
            let item = &self.items[*at];
            offset += (end + item.height) / 2.0 + if offsets.is_empty() { 0.0 } else { gap };
            end = item.height;
            offsets.push(offset);
            let linked = neighbours(item).and_then(|linked| mean(linked.iter().map(|at| self.items[*at].middle)));
            let wish = linked.unwrap_or(if item.middle == 0.0 { offset } else { item.middle });
            let (mut sum, mut count) = (wish - offset, 1.0);
            while let Some((before, number)) = pools.last().copied()
                && before / number > sum / count
            {
                (sum, count) = (sum + before, count + number);
                pools.pop();
            }
            pools.push((sum, count));
        }
        let shifts = pools.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / count, *count as usize));
        for ((at, offset), shift) in order.iter().zip(offsets).zip(shifts) {
            self.items[*at].middle = offset + shift;
        }
    }

    fn layout(&self, drawing: &Drawing<'_>, links: &[(usize, usize)]) -> Layout {
        let tops = self.items.iter().map(|item| item.middle - item.height / 2.0);
        let top = tops.reduce(f64::min).unwrap_or_default();
        let bottoms = self.items.iter().map(|item| item.middle + item.height / 2.0);
        let place = |at: &usize| (self.items[*at].layer, self.items[*at].middle - top);
        let paths = self.paths.iter().zip(drawing.links).zip(links).map(|((path, asked), drawn)| {
            let points = path.iter().map(place);
            // One that was turned round is told as it was asked for.
            if asked == drawn { points.collect() } else { points.rev().collect() }
        });
        Layout {
            boxes: (0..drawing.heights.len()).map(|at| place(&at)).collect(),
            links: paths.collect(),
            layers: self.layers.len(),
            height: bottoms.reduce(f64::max).map_or(0.0, |bottom| bottom - top),
        }
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(boxes: usize, links: &[(usize, usize)], to_the_right: bool) -> Layout {
        layout(&Drawing { heights: &vec![40.0; boxes], links, to_the_right, gap: 10.0 })
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let layout = of(3, &[(0, 1), (1, 2)], false);
        assert_eq!(layout.boxes, [(0, 20.0), (1, 20.0), (2, 20.0)]);
        assert_eq!((layout.layers, layout.height), (3, 40.0));
    }

    #[test]
    fn an_ancestor_stands_beside_what_was_made_from_it() {
        let links = [(0, 1), (1, 2), (3, 2)];
        assert_eq!(of(4, &links, true).boxes[3].0, 1);
        assert_eq!(of(4, &links, false).boxes[3].0, 0);
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let layout = of(4, &[(0, 3), (1, 2)], false);
        let is_above = |one: usize, other: usize| layout.boxes[one].1 < layout.boxes[other].1;
        assert_eq!(is_above(0, 1), is_above(3, 2));
    }

    proptest! {
        #[test]
        fn nothing_overlaps_and_every_link_arrives(
            links in proptest::collection::vec((0..12_usize, 0..12_usize), 0..30),
            to_the_right in any::<bool>(),
        ) {
            let layout = of(12, &links, to_the_right);
            for (at, one) in layout.boxes.iter().enumerate() {
                prop_assert!(one.1 >= 19.99 && one.1 <= layout.height - 19.99);
                for other in layout.boxes.iter().skip(at + 1).filter(|other| other.0 == one.0) {
                    prop_assert!((one.1 - other.1).abs() >= 49.99, "{one:?} {other:?}");
                }
            }
            for ((from, to), path) in links.iter().zip(&layout.links) {
                prop_assert_eq!(path.first(), Some(&layout.boxes[*from]));
                prop_assert_eq!(path.last(), Some(&layout.boxes[*to]));
            }
            prop_assert_eq!(of(12, &links, to_the_right), layout);
        }
    }
}
