// Members are never deleted from the old books, only closed.
async function remove(id, callback) {
  const axios = require("axios");
  try {
    await axios.post(
      `${configuration.MEMBERS_URL}/v1/members/${encodeURIComponent(id.replace(/^club-/, ""))}/close`,
      {},
      { headers: { Authorization: `Bearer ${configuration.MEMBERS_TOKEN}` }, timeout: 5000 },
    );
    return callback(null);
  } catch (error) {
    return callback(error);
  }
}
