/**
 * The version that this engine reports: that of the CLI whose behaviour it follows. The Automation API decides by it which
 * features it uses (engine-contract A1), and the manifest of every state holds it.
 */
export const ENGINE_VERSION = "v3.260.0";
