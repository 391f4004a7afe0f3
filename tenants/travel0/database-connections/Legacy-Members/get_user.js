// Finds a member without a password: before a sign-up, a reset, and for import mode.
async function getByEmail(email, callback) {
  const axios = require("axios");
  try {
    const answer = await axios.get(`${configuration.MEMBERS_URL}/v1/members`, {
      params: { email },
      headers: { Authorization: `Bearer ${configuration.MEMBERS_TOKEN}` },
      timeout: 5000,
      validateStatus: (status) => status < 500,
    });
    if (answer.status === 404) {
      return callback(null); // no such member, and that is no error
    }
    if (answer.status !== 200) {
      return callback(new Error(`member system answered ${answer.status}`));
    }
    const member = answer.data;
    return callback(null, {
      user_id: `club-${member.number}`,
      email: member.email,
      email_verified: member.confirmed === true,
      name: `${member.given_name} ${member.family_name}`,
      app_metadata: { club_level: member.level },
    });
  } catch (error) {
    return callback(error);
  }
}
