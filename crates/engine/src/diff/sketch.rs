//! A small matrix that stands for a large one: rows and columns are thrown together at random, with random signs, so that
//! directions that hold much of it still do (a count sketch from both sides). It costs one addition for each number.

/// Rows and columns of the sketch of a change.
const SMALL: usize = 128;
/// The same for matrices that are large in both directions.
const LARGE: usize = 256;
/// From this extent on, matrices are large.
const LARGE_FROM: usize = 4096;
/// Extents below which a rank says nothing.
pub(super) const LEAST: usize = 16;

/// How columns and rows are thrown together. The same for every matrix of these extents.
#[derive(Debug)]
pub(super) struct Plan {
    /// Rows and columns of the sketch.
    pub(super) size: usize,
    /// A sign for each column.
    signs: Vec<f32>,
    /// By how much each run of `size` columns is turned.
    turns: Vec<usize>,
}

impl Plan {
    /// The plan for a matrix; none when it is too narrow for ranks.
    pub(super) fn new(rows: usize, columns: usize) -> Option<Self> {
        let narrowest = rows.min(columns);
        if narrowest < LEAST {
            return None;
        }
        let size = if narrowest < LARGE_FROM { SMALL } else { LARGE };
        let signs = (0..columns).map(|column| sign(random(column as u64))).collect();
        let run = |run: usize| if run == 0 { 0 } else { (random(!(run as u64)) % size as u64) as usize };
        Some(Self { size, signs, turns: (0..columns.div_ceil(size)).map(run).collect() })
    }

    /// An empty sketch.
    pub(super) fn empty(&self) -> Vec<f32> {
        vec![0.0; self.size * self.size]
    }

    /// The change of a row, with its columns thrown together: `size` numbers.
    pub(super) fn row(&self, change: &[f32], folded: &mut [f32]) {
        folded.fill(0.0);
        let runs = change.chunks(self.size).zip(self.signs.chunks(self.size));
        for ((change, signs), turn) in runs.zip(&self.turns) {
            let (turned, first) = folded.split_at_mut(*turn);
            let cut = first.len().min(change.len());
            fold(first, &change[..cut], &signs[..cut]);
            fold(turned, &change[cut..], &signs[cut..]);
        }
    }

    /// Adds a row that is folded already.
    pub(super) fn add_row(&self, row: usize, folded: &[f32], sketch: &mut [f32]) {
        // Without collisions when there are few rows, as for columns.
        let random = random(0x5eed_0000_0000_0000 ^ row as u64);
        let at = if row < self.size { row } else { (random >> 1) as usize % self.size };
        let sign = sign(random);
        let target = &mut sketch[at * self.size..][..self.size];
        target.iter_mut().zip(folded).for_each(|(sum, number)| *sum += sign * number);
    }

    /// The direction among all columns that a direction of the sketch stands for.
    pub(super) fn unfold(&self, direction: &[f32]) -> Vec<f32> {
        let place = |column: usize| (column + self.turns[column / self.size]) % self.size;
        self.signs.iter().enumerate().map(|(column, sign)| sign * direction[place(column)]).collect()
    }
}

fn fold(folded: &mut [f32], change: &[f32], signs: &[f32]) {
    for ((sum, change), sign) in folded.iter_mut().zip(change).zip(signs) {
        *sum += change * sign;
    }
}

/// The same number for the same seed, everywhere and always (splitmix64).
pub(super) fn random(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn sign(random: u64) -> f32 {
    if random & 1 == 0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketched(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> (Plan, Vec<f32>) {
        let plan = Plan::new(rows, columns).unwrap();
        let (mut sketch, mut folded) = (plan.empty(), vec![0.0; plan.size]);
        for row in 0..rows {
            let change: Vec<f32> = (0..columns).map(|column| value(row, column)).collect();
            plan.row(&change, &mut folded);
            plan.add_row(row, &folded, &mut sketch);
        }
        (plan, sketch)
    }

    /// Throwing together with random signs neither adds nor takes energy, on average.
    #[test]
    fn energy_is_kept() {
        let value = |row: usize, column: usize| (random((row * 1000 + column) as u64) % 2001) as f32 / 1000.0 - 1.0;
        let (_, sketch) = sketched(500, 700, value);
        let energy: f32 = sketch.iter().map(|number| number * number).sum();
        assert!((energy / (500.0 * 700.0 / 3.0) - 1.0).abs() < 0.05, "{energy}");
    }

    #[test]
    fn a_small_matrix_keeps_its_rows_and_columns_apart() {
        let (_, sketch) = sketched(20, 30, |row, column| (row * 30 + column + 1) as f32);
        assert_eq!(sketch.iter().filter(|number| **number != 0.0).count(), 600);
    }

    #[test]
    fn unfolding_undoes_folding_on_average() {
        let plan = Plan::new(300, 500).unwrap();
        let one: Vec<f32> = (0..500).map(|column| if column == 321 { 1.0 } else { 0.0 }).collect();
        let mut folded = vec![0.0; plan.size];
        plan.row(&one, &mut folded);
        assert_eq!(plan.unfold(&folded)[321], 1.0);
    }
}
