/**
 * Whether a text is one line without invisible characters, which could make two names look alike. They are allowed only inside an emoji
 * that Unicode recommends (RGI), such as U+200D in a family or the tags of a flag, because there they change what is displayed.
 */
export function isVisible(text: string): boolean {
  return !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll(/\p{RGI_Emoji}/gv, ""));
}
