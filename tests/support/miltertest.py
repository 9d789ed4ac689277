"""Debian's miltertest, unpacked under build/peers/miltertest: an MTA's side of milter that is not ours."""

import os
import subprocess

from .peers import PEERS

ROOT = PEERS / "miltertest"
LIBRARIES = f"{ROOT}/usr/lib/x86_64-linux-gnu:{ROOT}/lib/x86_64-linux-gnu"

SCRIPT = """
local function told(what) if what ~= nil then error(what) end end
local function goes_on(conn, where)
  local reply = mt.getreply(conn)
  if reply ~= 0 and reply ~= SMFIR_CONTINUE and reply ~= SMFIR_SKIP then error(where .. ": reply " .. reply) end
end
-- It takes it amiss when it is asked for a step that the filter wants left out.
local function step(conn, left_out, ...)
  if mt.test_option(conn, left_out) then return end
  local how = {...}
  told(how[1](conn, table.unpack(how, 2)))
  goes_on(conn, "step " .. left_out)
end
local function message(conn, headers, body)
  mt.macro(conn, SMFIC_MAIL, "i", "4F00BA")
  step(conn, SMFIP_NOMAIL, mt.mailfrom, "<a@client.test>")
  step(conn, SMFIP_NORCPT, mt.rcptto, "<local@example.test>")
  step(conn, SMFIP_NODATA, mt.data)
  for _, field in ipairs(headers) do step(conn, SMFIP_NOHDRS, mt.header, field[1], field[2]) end
  step(conn, SMFIP_NOEOH, mt.eoh)
  step(conn, SMFIP_NOBODY, mt.bodyfile, body)
  told(mt.eom(conn))
end
local function verdict(conn, expected)
  local reply = mt.getreply(conn)
  if expected[1] == "reply" then
    return reply == SMFIR_REPLYCODE and mt.eom_check(conn, MT_SMTPREPLY, expected[2], expected[3], expected[4])
  end
  if reply ~= SMFIR_CONTINUE and reply ~= SMFIR_ACCEPT then return false end
  if expected[1] == "quarantine" then return mt.eom_check(conn, MT_QUARANTINE, expected[2]) end
  if expected[1] == "header" then return mt.eom_check(conn, MT_HDRADD, expected[2], expected[3]) end
  return not (mt.eom_check(conn, MT_QUARANTINE) or mt.eom_check(conn, MT_HDRADD) or mt.eom_check(conn, MT_HDRINSERT))
end
local function ask(one)
  local conn = mt.connect(socket)  -- one for each: it never forgets what it was told at a message's end
  told(mt.negotiate(conn, nil, nil, nil))
  step(conn, SMFIP_NOCONNECT, mt.conninfo, "client.test", "192.0.2.7")
  step(conn, SMFIP_NOHELO, mt.helo, "client.test")
  message(conn, one.headers, one.body)
  local good = verdict(conn, one.expected)
  local reply = mt.getreply(conn)
  mt.disconnect(conn)
  return good, reply
end
mt.set_timeout(60)
local went, why = pcall(function()  -- it keeps the words of error() to itself
  for number, one in ipairs(dofile(messages)) do
    local good, reply = ask(one)
    if not good then error("message " .. number .. ": reply " .. reply .. ", not " .. table.concat(one.expected, " ")) end
  end
end)
mt.echo(went and "as expected" or tostring(why))
"""


def _lua(value):
    if isinstance(value, str):
        return '"' + "".join(chr(b) if chr(b).isalnum() and b < 128 else f"\\{b:03d}" for b in value.encode()) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_lua(one)}" for key, one in value.items()) + "}"
    return "{" + ", ".join(map(_lua, value)) + "}"


def ask(socket, messages, folder, timeout=120):
    """Each by a connection of its own. `messages`: (content, expected), the latter ("reply", code, enhanced, text), ("quarantine", reason),
    ("header", name, value) or ("none",). Returns what it says: "as expected", or which is not."""
    told = []
    for number, (content, expected) in enumerate(messages):
        head, _, body = content.partition(b"\r\n\r\n")
        (folder / f"body{number}").write_bytes(body)
        fields = head.decode().replace("\r\n ", "\n ").replace("\r\n\t", "\n\t").split("\r\n")
        told.append({"headers": [field.split(": ", 1) for field in fields], "body": str(folder / f"body{number}"), "expected": expected})
    (folder / "messages.lua").write_text(f"return {_lua(told)}\n")
    (folder / "script.lua").write_text(SCRIPT)
    done = subprocess.run([ROOT / "usr/bin/miltertest", "-D", f"socket=unix:{socket}", "-D", f"messages={folder}/messages.lua",
                           "-s", folder / "script.lua"], env={**os.environ, "LD_LIBRARY_PATH": LIBRARIES}, capture_output=True,
                          text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    return (done.stdout + done.stderr).strip() or f"code {done.returncode}"
