//! WhatsApp's ids of messages, made as Meta makes them: base64 with the person's number or BSUID inside, which is why
//! they are personal data.

use data_encoding::BASE64;
use uuid::Uuid;

/// A wamid for a message between the line and `person`.
pub(crate) fn made(person: &str, from_citizen: bool, id: Uuid) -> String {
    let digits = id.simple().to_string().to_uppercase();
    let unique: String = digits.chars().skip(if from_citizen { 12 } else { 14 }).collect();
    let length = |text: &str| u8::try_from(text.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![0x1c, 0x18, length(person)];
    bytes.extend(person.bytes());
    bytes.extend([0x15, 0x02, 0x00, if from_citizen { 0x12 } else { 0x11 }, 0x18, length(&unique)]);
    bytes.extend(unique.bytes());
    bytes.push(0);
    format!("wamid.{}", BASE64.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_like_metas() {
        // From Meta's page webhooks/reference/messages/text: wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=
        let id = Uuid::parse_str("01900000-0000-3a4a-6599-aee03810144f").unwrap();
        assert_eq!(made("16503879439", true, id), "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=");
    }
}
