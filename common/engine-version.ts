/**
 * The version that we say we are: that of the CLI whose behaviour this engine follows. It is a feature switch for the
 * Automation API (engine-contract A1), and stands in the manifest of every state.
 */
export const ENGINE_VERSION = "v3.260.0";
