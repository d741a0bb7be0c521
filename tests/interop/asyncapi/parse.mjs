// Prints what AsyncAPI's own parser says of a document, as JSON: a list of {severity, code, path, message}; 0 is an error.
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const found = diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path, message }));
const channels = document ? document.channels().all().length : 0;
console.log(JSON.stringify({ channels, found }));
