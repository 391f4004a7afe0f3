// Signs a member in against the old club system. In import mode Auth0 keeps the account after the first success,
// and does not come back here for that member.
async function login(email, password, callback) {
  const axios = require("axios");
  try {
    const answer = await axios.post(
      `${configuration.MEMBERS_URL}/v1/sessions`,
      { email, password },
      {
        headers: { Authorization: `Bearer ${configuration.MEMBERS_TOKEN}` },
        timeout: 5000,
        validateStatus: (status) => status < 500,
      },
    );
    if (answer.status === 401 || answer.status === 404) {
      return callback(new WrongUsernameOrPasswordError(email));
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
