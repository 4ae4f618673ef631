/**
 * What Redis or Valkey does in one step for a question: scripts in Lua.
 *
 * A record is a string with its version, a space and its value. Leases are in a sorted set, their
 * keys as JSON, by the milliseconds since 1970 at which they end. All keys are in one slot of a
 * cluster; the first is declared, so that a proxy knows where the others are.
 *
 * @module
 */
import { DUE_MAX, LEASE_MARGIN, PAGE_LENGTH_MAX } from "./store.ts";

/** What all keys and channels begin with. */
export const PREFIX = "{udp-chat}:";
/** The key of the last change's number, which stays: what counts on would repeat numbers without it. */
export const LAST_KEY = `${PREFIX}last`;

/** Takes arguments one after the other, and reads the clock. */
const PRELUDE = `
local RECORD, LEASES, LAST = "${PREFIX}record:", "${PREFIX}leases", KEYS[1]
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local clock = redis.call("TIME")
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function whole(number)
  return string.format("%.0f", number)
end
local function keysOf(lease)
  local keys = cjson.decode(lease)
  for i = 1, #keys do keys[i] = RECORD .. keys[i] end
  return keys
end
-- Where its records have expired, those under its keys now are of another lease.
local function hasRecords(score)
  return score and tonumber(score) + ${LEASE_MARGIN} > now
end
local function extend(lease, keys, ttl)
  redis.call("ZADD", LEASES, whole(now + ttl), lease)
  for i = 1, #keys do redis.call("PEXPIRE", keys[i], whole(ttl + ${LEASE_MARGIN})) end
end
`;

const COMMIT = `
local channel, change, lease, ttl = take(), take(), take(), take()
local function refuse()
  return {0, redis.call("GET", LAST) or "0"}
end
for _ = 1, tonumber(take()) do
  local record = redis.call("GET", RECORD .. take())
  if (record and string.match(record, "^%d+") or "0") ~= take() then return refuse() end
end
for _ = 1, tonumber(take()) do
  local score = redis.call("ZSCORE", LEASES, take())
  if not score or tonumber(score) > now then return refuse() end
end
-- Where it was emptied: so many changes as microseconds have passed nobody can have made.
if redis.call("EXISTS", LAST) == 0 then
  redis.call("SET", LAST, whole(clock[1] * 1000000 + clock[2]))
end
local number = whole(redis.call("INCR", LAST))
for _ = 1, tonumber(take()) do
  local removed = take()
  local score = redis.call("ZSCORE", LEASES, removed)
  redis.call("ZREM", LEASES, removed)
  if hasRecords(score) then redis.call("DEL", unpack(keysOf(removed))) end
end
for _ = 1, tonumber(take()) do
  local key, value, own = take(), take(), take()
  if own == "" then own = ttl end
  redis.call("SET", RECORD .. key, number .. " " .. value, "PX", own)
end
if lease ~= "" then extend(lease, keysOf(lease), tonumber(ttl)) end
redis.call("PUBLISH", channel, number .. " " .. whole(now) .. " " .. change)
return {1, number}
`;

/** Gives the positions of those that are not there. */
const RENEW = `
local ttl, missing = tonumber(take()), {}
for i = 2, #ARGV do
  local lease = take()
  local keys = keysOf(lease)
  local isThere = hasRecords(redis.call("ZSCORE", LEASES, lease))
  if isThere and redis.call("EXISTS", unpack(keys)) == #keys then extend(lease, keys, ttl)
  else missing[#missing + 1] = i - 2 end
end
return missing
`;

const DUE = `
local due = redis.call("ZRANGEBYSCORE", LEASES, "-inf", whole(now), "LIMIT", 0, ${DUE_MAX})
table.insert(due, 1, redis.call("GET", LAST) or "0")
return due
`;

/** Gives the cursor, the time, and each record's key and what is kept there. */
const LOAD = `
local page = redis.call("SCAN", take(), "MATCH", RECORD .. "*", "COUNT", ${PAGE_LENGTH_MAX})
local given = {page[1], whole(now)}
for _, key in ipairs(page[2]) do
  local record = redis.call("GET", key)
  if record then
    given[#given + 1] = string.sub(key, #RECORD + 1)
    given[#given + 1] = record
  end
end
return given
`;

/** Tries each command that the others use, and names the one that fails. */
const PROBE = `
local probe = "${PREFIX}probe"
for _, command in ipairs({
  {"SET", probe, "", "PX", "1"}, {"GET", probe}, {"EXISTS", probe}, {"PEXPIRE", probe, "1"},
  {"DEL", probe}, {"INCR", probe}, {"DEL", probe}, {"ZADD", probe, "0", ""}, {"ZSCORE", probe, ""},
  {"ZRANGEBYSCORE", probe, "0", "0"}, {"ZREM", probe, ""}, {"SCAN", "0"}, {"PUBLISH", take(), ""},
}) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == "table" and reply.err then
    return redis.error_reply(reply.err .. " (" .. command[1] .. ")")
  end
end
return ""
`;

/** What has a script. */
export type ScriptName = "commit" | "renew" | "due" | "load" | "probe";

/** The scripts. */
export const SCRIPTS: Readonly<Record<ScriptName, string>> = {
  commit: PRELUDE + COMMIT,
  renew: PRELUDE + RENEW,
  due: PRELUDE + DUE,
  load: PRELUDE + LOAD,
  probe: PRELUDE + PROBE,
};
