// One build at a time in a cache: two would write the same folders.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const lockOf = (folder) => path.join(folder, ".lock");

/** Which running process builds there, if any. */
function holder(folder) {
  if (!fs.existsSync(lockOf(folder))) return undefined;
  const pid = Number(fs.readFileSync(lockOf(folder), "utf8"));
  return Number.isInteger(pid) && pid > 0 && alive(pid) ? pid : undefined;
}

/** Takes the lock, or says who has it. A lock of a process that has ended is taken over. @returns gives it back */
function takeLock(folder) {
  const file = lockOf(folder);
  const take = () => fs.writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
  try {
    take();
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const other = holder(folder);
    if (other !== undefined) throw new Error(`process ${other} builds real parts in ${folder}; wait for it, or stop it by its id`);
    fs.rmSync(file, { force: true });
    take();
  }
  return () => fs.rmSync(file, { force: true });
}

module.exports = { holder, takeLock };
