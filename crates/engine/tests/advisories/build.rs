//! Small writers of the files that advisories describe.

/// A text, as pickles of protocol 4 write it.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
}

/// A look-up.
pub(crate) fn global(module: &str, name: &str) -> Vec<u8> {
    [text(module), text(name), vec![0x93]].concat()
}

/// A call with arguments that stand for themselves.
pub(crate) fn call(module: &str, name: &str, arguments: &[&[u8]]) -> Vec<u8> {
    [global(module, name), b"(".to_vec(), arguments.concat(), b"tR".to_vec()].concat()
}

/// A whole pickle of protocol 4.
pub(crate) fn pickle(program: &[u8]) -> Vec<u8> {
    [b"\x80\x04", program, b"."].concat()
}

/// The pickle that everybody knows.
pub(crate) fn shell() -> Vec<u8> {
    pickle(&call("posix", "system", &[&text("true")]))
}

/// A member of a zip archive whose two headers may say different things.
#[derive(Debug, Default, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) local_name: Option<String>,
    pub(crate) flags: u16,
    pub(crate) local_flags: Option<u16>,
    pub(crate) bad_checksum: bool,
    pub(crate) attributes: u32,
    pub(crate) hidden: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Member {
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec(), ..Self::default() }
    }

    fn fields(&self, name: &str, flags: u16) -> Vec<u8> {
        let size = u32::try_from(self.bytes.len()).unwrap().to_le_bytes();
        let sum = checksum(&self.bytes) ^ u32::from(self.bad_checksum);
        let name = u16::try_from(name.len()).unwrap().to_le_bytes();
        [&flags.to_le_bytes()[..], &[0, 0, 0, 0, 0x21, 0], &sum.to_le_bytes(), &size, &size, &name, &[0, 0]].concat()
    }
}

/// A zip archive of members that are stored as they are.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut bytes, mut directory, mut count) = (Vec::new(), Vec::new(), 0u16);
    for member in members {
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let local = member.local_name.as_ref().unwrap_or(&member.name);
        bytes.extend(b"PK\x03\x04\x14\0");
        bytes.extend(member.fields(local, member.local_flags.unwrap_or(member.flags)));
        bytes.extend(local.bytes());
        bytes.extend(&member.bytes);
        if !member.hidden {
            count += 1;
            directory.extend(b"PK\x01\x02\x14\x03\x14\0");
            directory.extend(member.fields(&member.name, member.flags));
            directory.extend([0; 6]);
            directory.extend(member.attributes.to_le_bytes());
            directory.extend(at);
            directory.extend(member.name.bytes());
        }
    }
    let start = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let count = count.to_le_bytes();
    [&bytes[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &start, &[0, 0]].concat()
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// PyTorch's zip file around a pickle.
pub(crate) fn torch(data: &[u8]) -> Vec<Member> {
    vec![Member::new("archive/data.pkl", data), Member::new("archive/version", b"3\n")]
}

/// A tar archive; a member's kind is `0` for a file and `2` for a link to `target`.
pub(crate) fn tar(members: &[(&str, u8, &str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, target, content) in members {
        let mut header = vec![0; 512];
        let mut field = |at: usize, value: &[u8]| header[at..at + value.len()].copy_from_slice(value);
        field(0, name.as_bytes());
        field(100, b"0000644\0");
        field(124, format!("{:011o}\0", content.len()).as_bytes());
        field(136, b"00000000000\0");
        field(148, b"        ");
        field(156, &[*kind]);
        field(157, target.as_bytes());
        field(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A GGUF file of version 3: counts as they are told, then whatever is told.
pub(crate) fn gguf(tensors: u64, pairs: u64, body: &[u8]) -> Vec<u8> {
    [b"GGUF\x03\0\0\0", &tensors.to_le_bytes()[..], &pairs.to_le_bytes(), body].concat()
}

/// A text in GGUF: its length as told, and its bytes.
pub(crate) fn gguf_text(length: u64, text: &str) -> Vec<u8> {
    [&length.to_le_bytes()[..], text.as_bytes()].concat()
}

/// A pair of texts in GGUF.
pub(crate) fn gguf_pair(key: &str, value: &str) -> Vec<u8> {
    [gguf_text(key.len() as u64, key), vec![8, 0, 0, 0], gguf_text(value.len() as u64, value)].concat()
}

/// A tensor's description in GGUF, of 32-bit numbers.
pub(crate) fn gguf_tensor(name: &str, dimensions: u32, shape: &[u64], offset: u64) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|extent| extent.to_le_bytes()).collect();
    let name = gguf_text(name.len() as u64, name);
    [&name[..], &dimensions.to_le_bytes(), &shape, &0u32.to_le_bytes(), &offset.to_le_bytes()].concat()
}

/// A NumPy array's file.
pub(crate) fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() + 11).next_multiple_of(64) - 10;
    let header = format!("{header:<width$}\n", width = length - 1);
    [&b"\x93NUMPY\x01\0"[..], &u16::try_from(length).unwrap().to_le_bytes(), header.as_bytes(), data].concat()
}

/// A safetensors file.
pub(crate) fn safetensors(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}
