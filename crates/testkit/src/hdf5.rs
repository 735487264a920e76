//! Small HDF5 files of the oldest kind: a root group with attributes and members, without checksums.

/// A member of the root, or an attribute of it.
#[derive(Debug, Clone)]
pub enum Item<'i> {
    /// A text as an attribute.
    Text(&'i str, &'i [u8]),
    /// Bytes in one piece, with the shape they are said to have.
    Bytes(&'i str, &'i [u8], &'i [u64]),
    /// A shape without any storage.
    Unwritten(&'i str, &'i [u64]),
    /// Bytes that lie in another file.
    External(&'i str, &'i str),
    /// A link into another file.
    Link(&'i str, &'i str),
    /// A link by path.
    Soft(&'i str, &'i str),
    /// Chunks of bytes, all as long as the first, in an array of a fixed length.
    Chunks(&'i str, &'i [&'i [u8]]),
    /// A link to the root itself.
    Loop(&'i str),
    /// Bytes at an address beyond the end of the file.
    Outside(&'i str),
    /// Bytes in one piece that went through a filter of some number.
    Filtered(&'i str, u16),
}

const SUPERBLOCK: usize = 96;
const UNDEFINED: [u8; 8] = [0xFF; 8];

/// A file with these items in its root.
#[must_use]
pub fn file(items: &[Item<'_>]) -> Vec<u8> {
    let mut bytes = vec![0; SUPERBLOCK];
    let mut root = Vec::new();
    let messages: Vec<_> = items.iter().map(|item| message(item, &mut bytes)).collect();
    for (kind, body) in messages {
        push_message(&mut root, kind, &body);
    }
    let address = header(&mut bytes, items.len(), &root);
    let end = bytes.len() as u64;
    bytes[..SUPERBLOCK].copy_from_slice(&superblock(address, end));
    bytes
}

fn superblock(root: u64, end: u64) -> Vec<u8> {
    let mut block = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0".to_vec();
    block.extend(0u64.to_le_bytes());
    block.extend(UNDEFINED);
    block.extend(end.to_le_bytes());
    block.extend(UNDEFINED);
    block.extend(0u64.to_le_bytes());
    block.extend(root.to_le_bytes());
    block.resize(SUPERBLOCK, 0);
    block
}

fn push_message(list: &mut Vec<u8>, kind: u16, body: &[u8]) {
    let size = body.len().next_multiple_of(8);
    list.extend(kind.to_le_bytes());
    list.extend((size as u16).to_le_bytes());
    list.extend([0; 4]);
    list.extend(body);
    list.resize(list.len() + size - body.len(), 0);
}

fn header(bytes: &mut Vec<u8>, count: usize, messages: &[u8]) -> u64 {
    let address = bytes.len() as u64;
    bytes.extend([1, 0]);
    bytes.extend((count as u16).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend((messages.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(messages);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    address
}

fn message(item: &Item<'_>, bytes: &mut Vec<u8>) -> (u16, Vec<u8>) {
    match item {
        Item::Text(name, value) => (0x0C, attribute(name, value)),
        Item::Link(name, file) => {
            let target = [b"\0".as_slice(), file.as_bytes(), b"\0/x\0"].concat();
            let mut body = vec![1, 8, 64, name.len() as u8];
            body.extend(name.as_bytes());
            body.extend((target.len() as u16).to_le_bytes());
            body.extend(target);
            (0x06, body)
        }
        Item::Soft(name, target) => {
            let mut body = vec![1, 8, 1, name.len() as u8];
            body.extend(name.as_bytes());
            body.extend((target.len() as u16).to_le_bytes());
            body.extend(target.as_bytes());
            (0x06, body)
        }
        Item::Loop(name) => {
            // The root's header comes last; a group that names itself stands for it.
            let address = bytes.len() as u64;
            let mut inner = Vec::new();
            push_message(&mut inner, 0x06, &hard_link("again", address));
            (0x06, hard_link(name, header(bytes, 1, &inner)))
        }
        Item::Bytes(name, ..)
        | Item::Unwritten(name, _)
        | Item::External(name, _)
        | Item::Outside(name)
        | Item::Chunks(name, _)
        | Item::Filtered(name, _) => (0x06, hard_link(name, dataset(item, bytes))),
    }
}

fn hard_link(name: &str, address: u64) -> Vec<u8> {
    let mut body = vec![1, 0, name.len() as u8];
    body.extend(name.as_bytes());
    body.extend(address.to_le_bytes());
    body
}

fn attribute(name: &str, value: &[u8]) -> Vec<u8> {
    let mut body = vec![1, 0];
    let name = [name.as_bytes(), b"\0"].concat();
    for size in [name.len(), 8, 8] {
        body.extend((size as u16).to_le_bytes());
    }
    body.extend(&name);
    body.resize(8 + name.len().next_multiple_of(8), 0);
    body.extend([0x13, 0, 0, 0]);
    body.extend((value.len() as u32).to_le_bytes());
    body.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(value);
    body
}

fn dataset(item: &Item<'_>, bytes: &mut Vec<u8>) -> u64 {
    let store = |bytes: &mut Vec<u8>, data: &[u8]| {
        let address = bytes.len() as u64;
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        address.to_le_bytes()
    };
    let (place, size, shape) = match item {
        Item::Bytes(_, data, shape) => (store(bytes, data), data.len() as u64, shape.to_vec()),
        Item::Filtered(..) => (store(bytes, b"12345678"), 8, vec![8]),
        Item::Unwritten(_, shape) => (UNDEFINED, 0, shape.to_vec()),
        Item::Chunks(_, chunks) => {
            let size = chunks[0].len() as u64;
            (chunk_array(chunks, bytes).to_le_bytes(), size, vec![size * chunks.len() as u64])
        }
        Item::Outside(_) => (0xFFFF_FFFFu64.to_le_bytes(), 8, vec![8]),
        _ => (UNDEFINED, 8, vec![8]),
    };
    let mut list = Vec::new();
    let mut space = vec![1, shape.len() as u8, 0, 0, 0, 0, 0, 0];
    space.extend(shape.iter().flat_map(|extent| extent.to_le_bytes()));
    push_message(&mut list, 0x01, &space);
    push_message(&mut list, 0x03, &[0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]);
    let layout = match item {
        Item::Chunks(..) => [&[4, 2, 0, 2, 8][..], &size.to_le_bytes(), &1u64.to_le_bytes(), &[3, 10], &place].concat(),
        _ => [&[3, 1][..], &place, &size.to_le_bytes()].concat(),
    };
    push_message(&mut list, 0x08, &layout);
    let mut count = 3;
    if let Item::External(_, target) = item {
        let heap = local_heap(bytes, target);
        let slot = [1u64.to_le_bytes(), 0u64.to_le_bytes(), 8u64.to_le_bytes()].concat();
        push_message(&mut list, 0x07, &[&[1, 0, 0, 0, 1, 0, 1, 0][..], &heap.to_le_bytes(), &slot].concat());
        count += 1;
    }
    if let Item::Filtered(_, id) = item {
        let id = id.to_le_bytes();
        let filter = [&[1, 1, 0, 0, 0, 0, 0, 0][..], &id, &[8, 0, 0, 0, 0, 0], b"plugin\0\0"].concat();
        push_message(&mut list, 0x0B, &filter);
        count += 1;
    }
    header(bytes, count, &list)
}

/// The index of chunks: a header, and a block with their addresses.
fn chunk_array(chunks: &[&[u8]], bytes: &mut Vec<u8>) -> u64 {
    let mut addresses = Vec::new();
    for chunk in chunks {
        addresses.extend((bytes.len() as u64).to_le_bytes());
        bytes.extend(*chunk);
    }
    let header = bytes.len() as u64;
    let block = header + 28;
    bytes.extend(b"FAHD\0\0\x08\x0A");
    bytes.extend((chunks.len() as u64).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(b"FADB\0\0");
    bytes.extend(header.to_le_bytes());
    bytes.extend(addresses);
    bytes.extend([0; 4]);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    header
}

fn local_heap(bytes: &mut Vec<u8>, text: &str) -> u64 {
    let names = [b"\0", text.as_bytes(), b"\0"].concat();
    let address = bytes.len() as u64;
    bytes.extend(b"HEAP\0\0\0\0");
    bytes.extend((names.len() as u64).to_le_bytes());
    bytes.extend(UNDEFINED);
    bytes.extend((address + 32).to_le_bytes());
    bytes.extend(names);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    address
}
