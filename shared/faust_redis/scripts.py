"""What must happen in one step, as Lua. Redis 6.2 commands only.

Every script is KEYS[1] the stream, ARGV[1] the group, ARGV[2] this worker. XCLAIM and XACK act for anyone on
any entry, so each script asks XPENDING first whether the entry is still this worker's.
"""

RENEW = """
local lost = {}
for i = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
"""
"""ARGV[3..] ids: sets their idle time to 0. Returns the ids that are no longer ours."""

SETTLE = """
local lost = {}
for i = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) > 0 then
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    redis.call('XDEL', KEYS[1], ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
"""
"""ARGV[3..] ids: acknowledges and deletes each. Returns the ids that are no longer ours, left alone."""

RELEASE = """
for i = 4, #ARGV, 2 do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i],
      'IDLE', ARGV[3], 'RETRYCOUNT', ARGV[i + 1], 'JUSTID')
  end
end
"""
"""ARGV[3] idle time in ms, then pairs of id and delivery count: the next reclaim anywhere takes them."""

RECLAIM = """
local found = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4],
  'COUNT', ARGV[5], 'JUSTID')
local entries, gone = {}, #(found[3] or {})
for _, id in ipairs(found[2]) do
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if entry then
    local count = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1][4] + 1
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', count, 'JUSTID')
    entries[#entries + 1] = {id, entry[2], count}
  else
    redis.call('XACK', KEYS[1], ARGV[1], id)
    gone = gone + 1
  end
end
return {found[1], entries, gone}
"""
"""ARGV[3] idle time in ms, ARGV[4] cursor, ARGV[5] how many. Returns the next cursor, entries as
{id, fields, delivery count}, and how many pending ids had no entry any more (trimmed or deleted): those are
acknowledged, since 6.2 would hand them out as nil for ever (7.0 drops them itself and lists them)."""

LEAVE = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
  return 1
end
return 0
"""
"""Removes the consumer ARGV[2] if it has nothing pending: deleting it would delete its pending entries."""
