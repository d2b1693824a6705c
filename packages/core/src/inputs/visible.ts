/**
 * Whether a text is one line without characters that nobody sees, by which two names could look alike. Only inside an emoji
 * they are let through (U+200D of a family, the tags of a flag), where Unicode recommends it for use (RGI): there they are seen.
 */
export function isVisible(text: string): boolean {
  return !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll(/\p{RGI_Emoji}/gv, ""));
}
