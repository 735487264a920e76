//! The tensors of several files, as one.

use std::path::{Path, PathBuf};

use super::store::unsupported;
use super::{LeftOut, TensorInfo, TensorStore, WeightsError};

/// Several stores. Tensors of different files share no bytes.
#[derive(Debug)]
pub(super) struct Joined {
    parts: Vec<Box<dyn TensorStore>>,
    /// For each tensor, its part and its index there.
    origins: Vec<(usize, usize)>,
    twins: Vec<usize>,
    tensors: Vec<TensorInfo>,
    left_out: Vec<LeftOut>,
    metadata: Vec<(String, String)>,
    files: Vec<PathBuf>,
}

impl Joined {
    /// Joins the parts of the model at `path`, which has further files beside them: its index.
    pub(super) fn new(
        path: &Path,
        parts: Vec<Box<dyn TensorStore>>,
        further: Vec<PathBuf>,
    ) -> Result<Self, WeightsError> {
        let tensors = parts.iter().enumerate();
        let mut origins: Vec<(usize, usize)> =
            tensors.flat_map(|(part, store)| (0..store.tensors().len()).map(move |index| (part, index))).collect();
        let name = |(part, index): &(usize, usize)| parts[*part].tensors()[*index].name.as_str();
        origins.sort_by(|one, other| name(one).cmp(name(other)));
        if let Some(pair) = origins.windows(2).find(|pair| name(&pair[0]) == name(&pair[1])) {
            return Err(unsupported(path, format!("two of its files hold a tensor '{}'", name(&pair[0]))));
        }
        let tensors = origins.iter().map(|(part, index)| parts[*part].tensors()[*index].clone()).collect();
        let twins = twins(&parts, &origins);
        let mut left_out: Vec<LeftOut> = parts.iter().flat_map(|part| part.left_out().to_vec()).collect();
        left_out.sort();
        let mut files = further;
        files.extend(parts.iter().flat_map(|part| part.files().to_vec()));
        let metadata = agreed(&parts);
        Ok(Self { parts, origins, twins, tensors, left_out, metadata, files })
    }
}

/// What all parts say alike.
fn agreed(parts: &[Box<dyn TensorStore>]) -> Vec<(String, String)> {
    let Some((first, rest)) = parts.split_first() else { return Vec::new() };
    let said_by_all = |text: &&(String, String)| rest.iter().all(|part| part.metadata().contains(text));
    first.metadata().iter().filter(said_by_all).cloned().collect()
}

fn twins(parts: &[Box<dyn TensorStore>], origins: &[(usize, usize)]) -> Vec<usize> {
    let mut places: Vec<Vec<usize>> = parts.iter().map(|part| vec![0; part.tensors().len()]).collect();
    for (place, (part, index)) in origins.iter().enumerate() {
        places[*part][*index] = place;
    }
    origins.iter().map(|(part, index)| places[*part][parts[*part].twin(*index)]).collect()
}

impl TensorStore for Joined {
    fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn read(&self, tensor: usize, offset: u64, buffer: &mut [u8]) -> Result<(), WeightsError> {
        let (part, index) = self.origins[tensor];
        self.parts[part].read(index, offset, buffer)
    }

    fn twin(&self, tensor: usize) -> usize {
        self.twins[tensor]
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    fn files(&self) -> &[PathBuf] {
        &self.files
    }
}
