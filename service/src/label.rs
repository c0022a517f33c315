//! Names and titles: one line of text for people.

/// The name as it is kept: without the white space around it, 1 to `max` characters, none of them
/// a control character.
///
/// # Errors
/// What is wrong, in the words of a field's fault.
pub fn label(text: &str, max: usize) -> Result<String, String> {
    let label = text.trim();
    if (1..=max).contains(&label.chars().count()) && !label.chars().any(char::is_control) {
        Ok(label.to_owned())
    } else {
        Err(format!("must have 1 to {max} printable characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_label_is_kept_without_the_white_space_around_it() {
        assert_eq!(label(" Añil & Søn\n", 10).as_deref(), Ok("Añil & Søn"));
    }

    #[test]
    fn labels_without_text_too_long_or_with_control_characters_are_refused() {
        for text in ["", " \t", "four", "a\nb", "a\u{7f}"] {
            let refused = label(text, 3);
            assert_eq!(
                refused,
                Err("must have 1 to 3 printable characters".to_owned()),
                "{text:?}"
            );
        }
    }
}
