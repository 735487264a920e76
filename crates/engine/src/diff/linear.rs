//! Linear algebra for small matrices: eigenvalues of symmetric ones, and orthonormal bases. Everything runs in a fixed
//! order, so that the same numbers give the same bits on every machine.

/// Sweeps of rotations after which a matrix counts as diagonal, whatever is left of it.
const MAX_SWEEPS: usize = 30;
/// Steps that one eigenvalue may take.
const MAX_STEPS: usize = 60;

/// The eigenvalues of a symmetric matrix of `size` rows, largest first: reduced to three diagonals by reflections, then
/// by implicit QL steps (Golub and Van Loan, Matrix Computations, chapter 8). `matrix` is used up.
pub(super) fn eigenvalues(matrix: &mut [f64], size: usize) -> Vec<f64> {
    let (mut diagonal, mut off) = tridiagonal(matrix, size);
    for first in 0..size {
        for _ in 0..MAX_STEPS {
            let split =
                (first..size.saturating_sub(1)).find(|at| is_negligible(off[*at], diagonal[*at], diagonal[at + 1]));
            let last = split.unwrap_or(size - 1);
            if last == first {
                break;
            }
            ql_step(&mut diagonal, &mut off, first, last);
        }
    }
    diagonal.sort_by(|one, other| other.total_cmp(one));
    diagonal
}

fn is_negligible(off: f64, one: f64, other: f64) -> bool {
    off.abs() <= f64::EPSILON * (one.abs() + other.abs())
}

/// Reflects a symmetric matrix into one with three diagonals: the middle one, and the one below it.
fn tridiagonal(matrix: &mut [f64], size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut off = vec![0.0; size];
    for column in 0..size.saturating_sub(2) {
        // The matrix is symmetric, so that its rows, which lie together, serve as its columns.
        let mut mirror: Vec<f64> = matrix[column * size + column + 1..(column + 1) * size].to_vec();
        let length = mirror.iter().map(|value| value * value).sum::<f64>().sqrt();
        let head = if mirror[0] > 0.0 { -length } else { length };
        off[column] = head;
        mirror[0] -= head;
        let squares: f64 = mirror.iter().map(|value| value * value).sum();
        if squares > 0.0 {
            reflect(matrix, size, column + 1, &mirror, 2.0 / squares);
        }
    }
    if size > 1 {
        off[size - 2] = matrix[(size - 2) * size + size - 1];
    }
    ((0..size).map(|at| matrix[at * size + at]).collect(), off)
}

/// Reflects the lower right block from both sides: A - v w' - w v'.
fn reflect(matrix: &mut [f64], size: usize, start: usize, mirror: &[f64], scale: f64) {
    let row = |at: usize| (start + at) * size + start..(start + at + 1) * size;
    let mut image: Vec<f64> = (0..mirror.len()).map(|at| scale * dot(&matrix[row(at)], mirror)).collect();
    let half = scale / 2.0 * dot(&image, mirror);
    image.iter_mut().zip(mirror).for_each(|(image, mirror)| *image -= half * mirror);
    for at in 0..mirror.len() {
        let (own_mirror, own_image) = (mirror[at], image[at]);
        let values = matrix[row(at)].iter_mut().zip(mirror.iter().zip(&image));
        values.for_each(|(value, (mirror, image))| *value -= own_mirror * image + own_image * mirror);
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    let (lanes, rest) = one.as_chunks::<4>();
    let (other_lanes, other_rest) = other.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (one, other) in lanes.iter().zip(other_lanes) {
        (0..4).for_each(|lane| sums[lane] += one[lane] * other[lane]);
    }
    sums.iter().sum::<f64>() + rest.iter().zip(other_rest).map(|(one, other)| one * other).sum::<f64>()
}

/// One implicit QL step with Wilkinson's shift on the block `first..=last`.
fn ql_step(diagonal: &mut [f64], off: &mut [f64], first: usize, last: usize) {
    let ratio = (diagonal[first + 1] - diagonal[first]) / (2.0 * off[first]);
    let length = ratio.hypot(1.0).copysign(ratio);
    let mut bulge = diagonal[last] - diagonal[first] + off[first] / (ratio + length);
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for at in (first..last).rev() {
        let (across, along) = (sine * off[at], cosine * off[at]);
        let length = across.hypot(bulge);
        off[at + 1] = length;
        if length == 0.0 {
            diagonal[at + 1] -= shift;
            off[last] = 0.0;
            return;
        }
        (sine, cosine) = (across / length, bulge / length);
        let rest = diagonal[at + 1] - shift;
        let turn = (diagonal[at] - rest) * sine + 2.0 * cosine * along;
        shift = sine * turn;
        diagonal[at + 1] = rest + shift;
        bulge = cosine * turn - along;
    }
    diagonal[first] -= shift;
    off[first] = bulge;
    off[last] = 0.0;
}

/// Eigenvalues, largest first, and in the same order eigenvectors of a symmetric matrix, by rotations (Jacobi). For
/// matrices of some tens of rows.
pub(super) fn eigen(matrix: &mut [f64], size: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|at| (0..size).map(|other| f64::from(u8::from(at == other))).collect()).collect();
    let scale = matrix.iter().map(|value| value * value).sum::<f64>();
    for _ in 0..MAX_SWEEPS {
        let off: f64 =
            (0..size).map(|row| (0..row).map(|column| matrix[row * size + column].powi(2)).sum::<f64>()).sum();
        if off <= 1e-26 * scale {
            break;
        }
        for row in 1..size {
            (0..row).for_each(|column| rotate(matrix, size, column, row, &mut vectors));
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|one, other| matrix[other * size + other].total_cmp(&matrix[one * size + one]));
    let values = order.iter().map(|at| matrix[at * size + at]).collect();
    (values, order.into_iter().map(|at| std::mem::take(&mut vectors[at])).collect())
}

/// Turns the plane of two axes so that they no longer mix. `vectors` holds the axes, one each.
fn rotate(matrix: &mut [f64], size: usize, one: usize, other: usize, vectors: &mut [Vec<f64>]) {
    let mixed = matrix[one * size + other];
    if mixed == 0.0 {
        return;
    }
    let ratio = (matrix[other * size + other] - matrix[one * size + one]) / (2.0 * mixed);
    let tangent = 1.0 / (ratio + ratio.hypot(1.0).copysign(ratio));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for at in 0..size {
        turn(matrix, at * size + one, at * size + other, sine, cosine);
    }
    for at in 0..size {
        turn(matrix, one * size + at, other * size + at, sine, cosine);
    }
    let (before, after) = vectors.split_at_mut(other.max(one));
    let (Some(first), Some(second)) = (before.get_mut(one.min(other)), after.first_mut()) else { return };
    for (first, second) in first.iter_mut().zip(second) {
        (*first, *second) = (cosine * *first - sine * *second, sine * *first + cosine * *second);
    }
}

fn turn(matrix: &mut [f64], one: usize, other: usize, sine: f64, cosine: f64) {
    let (first, second) = (matrix[one], matrix[other]);
    matrix[one] = cosine * first - sine * second;
    matrix[other] = sine * first + cosine * second;
}

/// Makes vectors orthonormal, in order, each against those before it, twice for precision. What depends on those before
/// it becomes zero.
pub(super) fn orthonormalize(vectors: &mut [Vec<f32>]) {
    for at in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(at);
        let Some(vector) = rest.first_mut() else { return };
        let start = dot_single(vector, vector).sqrt();
        for _ in 0..2 {
            for base in before.iter() {
                let share = dot_single(base, vector) as f32;
                vector.iter_mut().zip(base).for_each(|(value, base)| *value -= share * base);
            }
        }
        let length = dot_single(vector, vector).sqrt();
        let scale = if length > 1e-5 * start { (1.0 / length) as f32 } else { 0.0 };
        vector.iter_mut().for_each(|value| *value *= scale);
    }
}

/// The product of two vectors; the sum is a double.
pub(super) fn dot_single(one: &[f32], other: &[f32]) -> f64 {
    let mut sum = 0.0;
    for (one, other) in one.chunks(1024).zip(other.chunks(1024)) {
        let (lanes, rest) = one.as_chunks::<16>();
        let (other_lanes, other_rest) = other.as_chunks::<16>();
        let mut sums = [0f32; 16];
        for (one, other) in lanes.iter().zip(other_lanes) {
            for lane in 0..16 {
                sums[lane] += one[lane] * other[lane];
            }
        }
        sum += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
        sum += rest.iter().zip(other_rest).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum::<f64>();
    }
    sum
}

/// The products of all rows with each other: `rows` rows of a matrix that lie one after the other.
pub(super) fn gram(matrix: &[f32], rows: usize) -> Vec<f64> {
    let columns = matrix.len() / rows.max(1);
    let row = |at: usize| &matrix[at * columns..(at + 1) * columns];
    let mut products = vec![0.0; rows * rows];
    for one in 0..rows {
        for other in 0..=one {
            let product = dot_single(row(one), row(other));
            products[one * rows + other] = product;
            products[other * rows + one] = product;
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::super::sketch::random;
    use super::*;

    fn symmetric(size: usize) -> Vec<f64> {
        let mut matrix = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let value = (random((row * size + column) as u64) % 1000) as f64 / 500.0 - 1.0;
                matrix[row * size + column] = value;
                matrix[column * size + row] = value;
            }
        }
        matrix
    }

    #[test]
    fn both_ways_find_the_same_eigenvalues() {
        for size in [1, 2, 3, 17, 64] {
            let (one, (other, _)) = (eigenvalues(&mut symmetric(size), size), eigen(&mut symmetric(size), size));
            for (one, other) in one.iter().zip(&other) {
                assert!((one - other).abs() < 1e-10, "{size}: {one} {other}");
            }
        }
    }

    #[test]
    fn eigenvectors_are_what_they_are_called() {
        let (matrix, size) = (symmetric(20), 20);
        let (values, vectors) = eigen(&mut matrix.clone(), size);
        for (value, vector) in values.iter().zip(&vectors) {
            for row in 0..size {
                let image = dot(&matrix[row * size..][..size], vector);
                assert!((image - value * vector[row]).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn degenerate_matrices_end() {
        for size in [1, 5, 40] {
            assert_eq!(eigenvalues(&mut vec![0.0; size * size], size), vec![0.0; size]);
            let ones = eigenvalues(&mut vec![1.0; size * size], size);
            assert!((ones[0] - size as f64).abs() < 1e-9 && ones[1..].iter().all(|value| value.abs() < 1e-9));
        }
        assert_eq!(eigenvalues(&mut [f64::NAN; 25], 5).len(), 5);
    }

    #[test]
    fn bases_are_orthonormal() {
        let mut vectors: Vec<Vec<f32>> =
            (0..6u64).map(|row| (0..50).map(|at| (random(row * 50 + at) % 100) as f32 - 50.0).collect()).collect();
        vectors.push(vectors[0].clone());
        orthonormalize(&mut vectors);
        for one in 0..7 {
            for other in 0..=one {
                let expected = if one == other && one < 6 { 1.0 } else { 0.0 };
                assert!((dot_single(&vectors[one], &vectors[other]) - expected).abs() < 1e-5, "{one} {other}");
            }
        }
    }
}
