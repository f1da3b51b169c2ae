import CircleQuestionMark from "@lucide/svelte/icons/circle-question-mark";
import FileText from "@lucide/svelte/icons/file-text";
import Image from "@lucide/svelte/icons/image";
import MapPin from "@lucide/svelte/icons/map-pin";
import Mic from "@lucide/svelte/icons/mic";
import Smile from "@lucide/svelte/icons/smile";
import UserRound from "@lucide/svelte/icons/user-round";
import Video from "@lucide/svelte/icons/video";

const ICONS: Record<string, typeof Image> = {
  image: Image,
  audio: Mic,
  video: Video,
  document: FileText,
  location: MapPin,
  contacts: UserRound,
  sticker: Smile,
  reaction: Smile,
};

/** The icon of a type of message that has no text to show. */
export function typeIcon(type: string): typeof Image {
  return ICONS[type] ?? CircleQuestionMark;
}
