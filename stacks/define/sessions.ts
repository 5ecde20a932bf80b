/** What an application that makes sessions must know of them. */
export { goldenImageName } from "../../components/apps/sessions/golden-image-name";
