/*
 * Adds `Upload-Checksum: sha256 …` to each chunk. tus-js-client hands the bytes over only in
 * `send`, so the header is set there, between its request and the browser's.
 */
import { defaultOptions, type HttpRequest, type HttpResponse, type HttpStack } from "tus-js-client";

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

class ChecksumRequest implements HttpRequest {
  private stopped = false;

  constructor(private readonly inner: HttpRequest) {}

  getMethod = (): string => this.inner.getMethod();
  getURL = (): string => this.inner.getURL();
  setHeader = (header: string, value: string): void => this.inner.setHeader(header, value);
  getHeader = (header: string): string | undefined => this.inner.getHeader(header);
  setProgressHandler = (handler: (sent: number) => void): void => this.inner.setProgressHandler(handler);
  getUnderlyingObject = (): unknown => this.inner.getUnderlyingObject();

  async send(body: unknown): Promise<HttpResponse> {
    if (body instanceof Blob && body.size > 0) {
      const digest = await crypto.subtle.digest("SHA-256", await body.arrayBuffer());
      // Paused while the digest was made: nothing may be sent now, and nobody waits for an answer.
      if (this.stopped) return new Promise(() => {});
      this.inner.setHeader("Upload-Checksum", `sha256 ${base64(digest)}`);
    }
    return this.inner.send(body);
  }

  abort(): Promise<void> {
    this.stopped = true;
    return this.inner.abort();
  }
}

/** The browser's stack, with checksums where the browser can make them (https, or this machine). */
export function checksumStack(): HttpStack {
  const inner = defaultOptions.httpStack;
  if (!globalThis.crypto?.subtle) return inner;
  return {
    createRequest: (method, url) => new ChecksumRequest(inner.createRequest(method, url)),
    getName: () => "medtheca",
  };
}
