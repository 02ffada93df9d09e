//! The three kinds of SHA-256 that a block knows, each a type of its own so that they cannot be mixed up.

/// The text is not 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 lower-case hex digits")]
pub struct NotAHash;

/// Defines a type for one kind of SHA-256.
macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
        #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
        pub struct $name([u8; 32]);

        impl $name {
            /// SHA-256 of `bytes`.
            pub fn of(bytes: impl AsRef<[u8]>) -> Self {
                Self(<sha2::Sha256 as sha2::Digest>::digest(bytes).into())
            }

            /// The 32 bytes of a digest that was computed or stored elsewhere.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The digest, big-endian.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 64 ASCII hex digits.
            pub fn to_hex(&self) -> [u8; 64] {
                let mut digits = [0; 64];
                $crate::hex::encode_into(&self.0, &mut digits);
                digits
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let digits = self.to_hex();
                f.pad(std::str::from_utf8(&digits).map_err(|_| std::fmt::Error)?)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::block::NotAHash;
            fn from_str(text: &str) -> Result<Self, $crate::block::NotAHash> {
                $crate::hex::decode(text).map(Self).ok_or($crate::block::NotAHash)
            }
        }

        $crate::json::serialize_as_ascii!($name, to_hex);
        $crate::json::deserialize_from_text!($name, "64 lower-case hex digits");
    };
}
pub(crate) use hash_type;

hash_type! {
    /// The name of a block: SHA-256 of its seal and nonce (docs/protocol.md §3). The genesis hash is the network id.
    BlockHash
}
hash_type! {
    /// SHA-256 of a block's `data` (docs/protocol.md §3).
    DataHash
}
hash_type! {
    /// SHA-256 of everything in a header but the nonce (docs/protocol.md §3): what a miner works on.
    Seal
}

impl BlockHash {
    /// 64 zeros, which genesis names as its parent.
    pub const ZERO: Self = Self([0; 32]);

    /// The first eight digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}
