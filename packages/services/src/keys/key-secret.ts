import { createHash } from "node:crypto";
import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
export const issueSecret=()=> ""; export const sha256Of=(s:string)=>createHash("sha256").update(s).digest("hex"); export const previewOf=(s:string)=>s; void randomInt; void crc32;
