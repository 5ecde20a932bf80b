/** What the backend needs of a store of files. Keys use `/`; contents are text. */
export interface Bucket {
  /** undefined where there is no such key. */
  read(key: string): Promise<string | undefined>;
  /** All or nothing, and durable when it resolves. */
  write(key: string, content: string): Promise<void>;
  /** A key that is not there is no error. */
  remove(key: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  /** Names directly below a folder (files and folders), sorted. */
  list(folder: string): Promise<string[]>;
  /** How a key is named in messages. */
  url(key: string): string;
  /** The real file of a key, for what is appended to; undefined where the store only takes whole objects. */
  file(key: string): string | undefined;
}
