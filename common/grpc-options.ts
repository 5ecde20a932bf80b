/**
 * Clients share no connection: a port that was given back belongs to another server soon, and as long as a client of the former server is
 * not closed, the library refuses those of the next one too ("No connection established. Last error: null").
 */
export const SHARE_NO_CONNECTION = { "grpc.use_local_subchannel_pool": 1 };

/**
 * Options of every gRPC client and server of ours. They speak within this machine: messages of up to 400 MiB, as the SDK's, and never
 * through a proxy, which the library would take from `https_proxy` for loopback addresses too.
 */
export const GRPC_OPTIONS = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
  "grpc.enable_http_proxy": 0,
  ...SHARE_NO_CONNECTION,
};
