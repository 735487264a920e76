//! The order of a manifest's entries. The specification sorts names by code point; the reference signer sorts paths by
//! their components, and shards by where they start.

use waag_evidence::manifest::Resource;

/// Whether entries are in the reference signer's order.
#[must_use]
pub(crate) fn is_path_order(resources: &[Resource]) -> bool {
    resources.is_sorted_by(|one, next| path_key(one) <= path_key(next))
}

/// The name of the first entry that neither order allows after the one before it; the first that one of them does not
/// allow, where each is broken at another place.
#[must_use]
pub(crate) fn out_of_place(resources: &[Resource]) -> String {
    let broken = |pair: &[Resource]| {
        let [one, next] = pair else { return (false, false) };
        (one.name() > next.name(), path_key(one) > path_key(next))
    };
    let pairs = || resources.windows(2);
    let place =
        pairs().position(|pair| broken(pair) == (true, true)).or_else(|| pairs().position(|pair| broken(pair).0));
    place.and_then(|index| resources.get(index + 1)).map(Resource::name).unwrap_or_default()
}

fn path_key(resource: &Resource) -> (Vec<&str>, Option<u64>, Option<u64>) {
    let shard = resource.shard.as_ref();
    (resource.path.split('/').collect(), shard.map(|shard| shard.start), shard.map(|shard| shard.end))
}
